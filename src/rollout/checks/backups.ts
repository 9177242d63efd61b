import type { GivenBackup } from "../../admin/client.ts";
import type { Check } from "../check.ts";
import type { CheckFacts } from "./facts.ts";
import { CLUSTER, makeCheck, passed, warned } from "./make_check.ts";

const HOUR_MS = 3_600_000n;
const AGE_MS_MAX = 24n * HOUR_MS;
/** From here on days say more than hours. */
const HOURS_MAX = 48n;

interface OfMember extends GivenBackup {
  readonly member: string;
}

/** G08: what a step breaks, a backup of before brings back. */
export function hasBackup(facts: CheckFacts): Check {
  const newest = newestOf(given(facts));
  const evidence = newest !== null && newest.ageMs <= AGE_MS_MAX
    ? passed(CLUSTER, `${newest.member} gave one ${agoText(newest)}`)
    : warned(CLUSTER, {
      text: newest === null
        ? "no member knows of one: have one before this step"
        : `the newest is of ${newest.member}, ${
          agoText(newest)
        }, wanted one of the last 24 h`,
      remedy: "Make one: `sealkv backup create --out FILE`",
    });
  return makeCheck("G08", "A backup exists", [evidence]);
}

/** V02: what was copied before stays as it was. */
export function oldBackups(facts: CheckFacts): Check {
  const lock = facts.view.shown?.cleartextLockIndex ?? 0n;
  const old = given(facts).filter(({ index }) => lock === 0n || index < lock);
  const newest = newestOf(old);
  const evidence = warned(CLUSTER, {
    text: newest === null
      ? "backups made before the storage cutover hold values in cleartext, and no scrub reaches them"
      : `members gave ${old.length} before cleartext was locked out, the last ${
        agoText(newest)
      }: they may hold values in cleartext, and no scrub reaches them`,
    remedy:
      "Make a new one with `sealkv backup create --out FILE`, and remove those",
  });
  return makeCheck("V02", "Older backups", [evidence]);
}

function given({ snapshot, view }: CheckFacts): readonly OfMember[] {
  return snapshot.vitals
    .filter(({ member }) => view.names.includes(member))
    .flatMap(({ member, vitals }) =>
      (vitals?.backups ?? []).map((one) => ({ member, ...one }))
    );
}

function newestOf(all: readonly OfMember[]): OfMember | null {
  return all.reduce<OfMember | null>(
    (newest, one) => newest === null || one.ageMs < newest.ageMs ? one : newest,
    null,
  );
}

function agoText({ ageMs }: GivenBackup): string {
  const hours = ageMs / HOUR_MS;
  if (hours === 0n) return "less than an hour ago";
  return hours < HOURS_MAX ? `${hours} h ago` : `${hours / 24n} days ago`;
}
