import type { Files } from "../io/files.ts";
import type { Random } from "../io/random.ts";
