import type { Check, Evidence } from "../check.ts";
import {
  type Cutover,
  cutoverIndex,
  replacedKeys,
  rewriteStanding,
} from "../cluster_view.ts";
import { timeText } from "../../base/time_text.ts";
import type { CheckFacts } from "./facts.ts";
import { CLUSTER, failed, makeCheck, passed, warned } from "./make_check.ts";

const REWRITE_REMEDY = "Let `sealkv encryption rewrite --follow` end";

/** S01: every member seals records, and the log too where `after` is "raft". */
export function isPast(
  { view }: CheckFacts,
  after: Exclude<Cutover, "seal">,
): Check {
  const title = after === "raft" ? "Log is sealed" : "Records are sealed";
  const remedy = after === "raft"
    ? "Take it first: `sealkv encryption enable-raft-envelope`"
    : "Take it first: `sealkv encryption enable-storage-envelope`";
  const index = cutoverIndex(view.shown, after);
  if (index === 0n) {
    return makeCheck("S01", title, [failed(CLUSTER, {
      text: "the step before is not taken",
      remedy,
    })]);
  }
  const evidence = view.names.map((name): Evidence => {
    const own = view.encryption(name);
    if (own === null) {
      return warned(name, {
        text: "does not answer; it applies the step when it is back",
        remedy: "Start it, or reconnect it",
      });
    }
    return cutoverIndex(own, after) > 0n
      ? passed(name, `since entry ${index}`)
      : failed(name, {
        text: `has applied ${own.applied}, and not yet entry ${index}`,
        remedy: "Wait until it has applied it: `sealkv status`",
      });
  });
  return makeCheck("S01", title, evidence);
}

/** R01 of the lock: every member has sealed all its records anew. */
export function isRewritten({ snapshot, view }: CheckFacts): Check {
  const standing = rewriteStanding(snapshot);
  const title = "Rewrite is complete";
  if (standing.kind !== "started") {
    const isNeeded = cutoverIndex(view.shown, "seal") === 0n;
    const text = standing.kind === "none"
      ? "no rewrite was started"
      : "how far members are only a leader can say";
    const evidence = isNeeded
      ? failed(CLUSTER, { text, remedy: REWRITE_REMEDY })
      : passed(CLUSTER, "the cleartext is locked out");
    return makeCheck("R01", title, [evidence]);
  }
  if (standing.tasks.length === 0) {
    const text = "no member says how far it is";
    const evidence = failed(CLUSTER, { text, remedy: REWRITE_REMEDY });
    return makeCheck("R01", title, [evidence]);
  }
  const evidence = standing.tasks.map((task): Evidence => {
    const { member, state, done, total, failure } = task;
    if (state === "done") return passed(member, `${total} records done`);
    const far = `${state}, ${done} of ${total} records`;
    const text = failure === "" ? far : `${far}: ${failure}`;
    return failed(member, { text, remedy: REWRITE_REMEDY });
  });
  return makeCheck("R01", title, evidence);
}

/** R01 of the raft cutover: cleartext is locked out, or left on purpose. */
export function isLockedOrAccepted({ view, choices }: CheckFacts): Check {
  const index = cutoverIndex(view.shown, "seal");
  const text = "cleartext records may be left: they are not locked out";
  const evidence = index > 0n
    ? passed(CLUSTER, `cleartext is locked out since entry ${index}`)
    : choices.accept.includes("unrewritten")
    ? warned(CLUSTER, {
      text: `${text}; accepted`,
      remedy: "Rewrite and lock them out later",
    })
    : failed(CLUSTER, {
      text,
      remedy:
        "Take the two steps before, or accept that old records stay as they are: --accept-unrewritten",
    });
  return makeCheck("R01", "Rewrite is complete", [evidence]);
}

/** R02: an operator asked for time before the next one-way step. */
export function hasDwelt(
  { snapshot: { rollout, atMs }, choices }: CheckFacts,
): Check {
  const title = "Dwell is over";
  if (rollout === null) {
    return makeCheck("R02", title, [failed(CLUSTER, {
      text: "nobody says whether there is a dwell",
      remedy: "Look at `sealkv encryption status`",
    })]);
  }
  const untilMs = Number(rollout.dwellUntilMs);
  if (untilMs <= atMs) {
    const text = untilMs === 0
      ? "no dwell was asked for"
      : `over since ${timeText(untilMs)}`;
    return makeCheck("R02", title, [passed(CLUSTER, text)]);
  }
  const text = `lasts until ${timeText(untilMs)}`;
  const evidence = choices.accept.includes("short-dwell")
    ? warned(CLUSTER, {
      text: `${text}; accepted that it is cut short`,
      remedy: "Wait until then",
    })
    : failed(CLUSTER, {
      text,
      remedy:
        "Wait until then, end it with `sealkv encryption dwell --end`, or accept it: --accept-short-dwell",
    });
  return makeCheck("R02", title, [evidence]);
}

/** V01: nothing new is cleartext, so what is removed stays removed. */
export function isLocked({ view }: CheckFacts): Check {
  const index = cutoverIndex(view.shown, "seal");
  const evidence = index > 0n
    ? passed(CLUSTER, `no member has had any since entry ${index}`)
    : failed(CLUSTER, {
      text: "nothing says that no member has any",
      remedy: "Take the step before: `sealkv encryption seal-cleartext`",
    });
  return makeCheck("V01", "No cleartext records", [evidence]);
}

/** T01: what the members are asked about each key that was replaced. */
export function isUnused({ snapshot, view }: CheckFacts): Check {
  const keys = replacedKeys(view);
  const standing = rewriteStanding(snapshot);
  const isRewritten = standing.kind === "started" && standing.isDone;
  const evidence = keys.map(({ id, purpose, deactivatedIndex }): Evidence => {
    const since = `${purpose} key ${id}, replaced at entry ${deactivatedIndex}`;
    if (purpose === "raft") {
      return passed(CLUSTER, `${since}: members look through their logs`);
    }
    return isRewritten
      ? passed(CLUSTER, `${since}: records are sealed anew`)
      : warned(CLUSTER, {
        text: `${since}: records may be under it still`,
        remedy: REWRITE_REMEDY,
      });
  });
  const title = "Old keys are unused";
  return makeCheck(
    "T01",
    title,
    evidence.length > 0 ? evidence : [
      passed(CLUSTER, "no key is replaced"),
    ],
  );
}
