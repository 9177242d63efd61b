import { ELECTION } from "./election.ts";
import { MEMBERSHIP } from "./membership.ts";
import type { Mutant } from "./mutant.ts";
import { REPLICATION } from "./replication.ts";
import { STORAGE } from "./storage.ts";
import { SURFACE } from "./surface.ts";

export const MUTANTS: readonly Mutant[] = [
  ...ELECTION,
  ...REPLICATION,
  ...STORAGE,
  ...MEMBERSHIP,
  ...SURFACE,
];
