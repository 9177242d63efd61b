import type { MemberVitals, Vitals } from "../../admin/client.ts";
import type { Check, Evidence } from "../check.ts";
import type { CheckFacts } from "./facts.ts";
import { CLUSTER, makeCheck, passed, warned } from "./make_check.ts";

/** The rewrite and the scrub write values once more. */
const FREE_PERCENT_MIN = 30;
/** A scrub copies the store, and a checkpoint is as large. */
const FREE_STORES_MIN = 2n;
const P99_SECONDS_MAX = 0.25;
/** The leader gives the raft cutover up after this: NODE_CUTOVER_ABORTED. */
const PAUSE_SECONDS_MAX = 2;
const PERCENTILE = 0.99;
const GIB = 1_024 ** 3;

/** G07: room for what is written anew. */
export function hasRoom(facts: CheckFacts): Check {
  const evidence = ofVitals(facts, (name, vitals) => {
    const { diskFreeBytes: free, diskTotalBytes: total } = vitals;
    if (total === 0n) {
      return warned(name, {
        text: "does not tell how full its disk is",
        remedy: "Look on its machine that the data dir has room",
      });
    }
    const percent = Math.floor(Number(free * 100n / total));
    const text = `${percent} % free, ${gibText(free)} of ${gibText(total)}`;
    const remedy = "Make room on its disk";
    if (percent < FREE_PERCENT_MIN) {
      return warned(name, {
        text: `${text}, wanted ${FREE_PERCENT_MIN} %`,
        remedy,
      });
    }
    const { storeBytes: store } = vitals;
    if (free >= FREE_STORES_MIN * store) return passed(name, text);
    return warned(name, {
      text: `${text}, wanted ${FREE_STORES_MIN} times its store of ${
        gibText(store)
      }`,
      remedy,
    });
  });
  return makeCheck("G07", "Room on disks", evidence);
}

/** G10: a cluster that is slow already is no place for more load. */
export function isFast(facts: CheckFacts): Check {
  const evidence = ofVitals(facts, (name, vitals) => {
    const seconds = p99Of(vitals);
    if (seconds === null) return passed(name, "had no requests lately");
    const text = `99 of 100 requests within ${secondsText(seconds)}`;
    return seconds <= P99_SECONDS_MAX ? passed(name, text) : warned(name, {
      text: `${text}, wanted ${secondsText(P99_SECONDS_MAX)}`,
      remedy: "Wait for a quieter time, or see why it is slow",
    });
  });
  return makeCheck("G10", "Requests are fast", evidence);
}

/** R03: writes wait for about one commit. */
export function pausesBriefly({ snapshot }: CheckFacts): Check {
  const { vitals: all, status: { leader } } = snapshot;
  const vitals = all.find(({ member }) => member === leader)?.vitals ?? null;
  const seconds = vitals === null ? null : p99Of(vitals);
  const limit = secondsText(PAUSE_SECONDS_MAX);
  const after = `given up after ${limit}, and nothing is changed then`;
  const isBrief = seconds === null || seconds <= PAUSE_SECONDS_MAX;
  const evidence = isBrief
    ? passed(
      CLUSTER,
      seconds === null
        ? `writes wait for about one commit; ${after}`
        : `writes wait for about one commit, ${
          secondsText(seconds)
        } at the leader; ${after}`,
    )
    : warned(CLUSTER, {
      text: `requests take ${secondsText(seconds)} at the leader; ${after}`,
      remedy: "Wait for a quieter time",
    });
  return makeCheck("R03", "Pause is short", [evidence]);
}

function ofVitals(
  { view, snapshot }: CheckFacts,
  judge: (name: string, vitals: Vitals) => Evidence,
): readonly Evidence[] {
  const byName = new Map<string, MemberVitals>(
    snapshot.vitals.map((one) => [one.member, one]),
  );
  return view.names.map((name) => {
    const vitals = byName.get(name)?.vitals ?? null;
    return vitals === null
      ? warned(name, {
        text: "does not tell how it does",
        remedy: "Look on its machine",
      })
      : judge(name, vitals);
  });
}

/** Upper bound of 99 of 100 requests of late; `null` for none. */
function p99Of({ recentLatency }: Vitals): number | null {
  const total = recentLatency.at(-1)?.count ?? 0n;
  if (total === 0n) return null;
  const wanted = Math.ceil(Number(total) * PERCENTILE);
  const bucket = recentLatency.find(({ count }) => Number(count) >= wanted);
  return bucket?.bound ?? null;
}

function secondsText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "no bound that is measured";
  return seconds < 1 ? `${Math.round(seconds * 1_000)} ms` : `${seconds} s`;
}

function gibText(bytes: bigint): string {
  return `${(Number(bytes) / GIB).toFixed(1)} GiB`;
}
