// Question: how many strong reads a second, and how long each takes?
import { run } from "../src/cli/run.ts";
import { denoServices } from "../src/cli/services.ts";

Deno.exit(await run(["bench", "read", ...Deno.args], denoServices()));
