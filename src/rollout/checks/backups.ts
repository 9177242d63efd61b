import type { Check } from "../check.ts";
import { CLUSTER, makeCheck, warned } from "./make_check.ts";

/** G08: the cluster keeps no record of backups, so this never passes. */
export function hasBackup(): Check {
  const evidence = warned(CLUSTER, {
    text: "the cluster does not know of its backups: have one before this step",
    remedy: "Make one: `sealkv backup create --out FILE`",
  });
  return makeCheck("G08", "A backup exists", [evidence]);
}

/** V02: what was copied before stays as it was. */
export function oldBackups(): Check {
  const evidence = warned(CLUSTER, {
    text:
      "backups made before the storage cutover hold values in cleartext, and no scrub reaches them",
    remedy:
      "Make a new one with `sealkv backup create --out FILE`, and remove those",
  });
  return makeCheck("V02", "Older backups", [evidence]);
}
