import { layerViolations } from "./layers.ts";
import { print } from "./print.ts";
import { readTree } from "./tidy/read_tree.ts";
import {
  bannedPatterns,
  brandCasts,
  dead,
  sizes,
} from "./tidy/rules_of_code.ts";
import {
  docs,
  errors,
  generated,
  names,
  twins,
} from "./tidy/rules_of_files.ts";

/** Each takes the tree and returns what breaks it. */
const RULES = [
  layerViolations,
  bannedPatterns,
  brandCasts,
  names,
  sizes,
  dead,
  errors,
  twins,
  docs,
  generated,
];

if (import.meta.main) {
  const tree = readTree();
  const findings = RULES.flatMap((rule) => rule(tree));
  for (const { path, line, rule, use } of findings) {
    print(`${path}:${line}: ${rule}, use ${use}`);
  }
  if (findings.length > 0) Deno.exit(1);
}
