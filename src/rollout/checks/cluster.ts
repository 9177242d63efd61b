import type { MemberVitals } from "../../admin/client.ts";
import type { NodeError } from "../../base/error.ts";
import type { Check, Evidence } from "../check.ts";
import { stepOfAction } from "../step_action.ts";
import type { CheckFacts } from "./facts.ts";
import {
  CLUSTER,
  failed,
  makeCheck,
  passed,
  type Severity,
  warned,
} from "./make_check.ts";

/** Entries that a member may be behind before it is worth a word. */
const LAG_MAX = 1_000n;
/** Of fewer voters none can be lost anyway. */
const VOTERS_MIN = 3;

/** An election that is longer ago tells nothing of this moment. */
const CALM_MS = 60_000n;

/** G01: without a leader nothing can be changed. */
export function leads({ snapshot }: CheckFacts): Check {
  const { leader, term } = snapshot.status;
  const text = `${leader} leads in term ${term}`;
  const witness = snapshot.vitals.find(sawElection)?.member;
  const evidence = leader === ""
    ? failed(CLUSTER, {
      text: `nobody leads in term ${term}`,
      remedy:
        "Start or reconnect members until more than half of the voters are up; `sealkv status` shows them",
    })
    : witness !== undefined
    ? warned(CLUSTER, {
      text: `${text}, and ${witness} saw it begin in the last minute`,
      remedy:
        "Wait a minute; where that comes again and again, look for a slow disk or network",
    })
    : passed(CLUSTER, text);
  return makeCheck("G01", "One leader", [evidence]);
}

/** Not one that has just been started: to elect then is no sign of trouble. */
function sawElection({ vitals }: MemberVitals): boolean {
  return vitals !== null && vitals.leaderMs > 0n && vitals.leaderMs < CALM_MS &&
    vitals.uptimeMs - vitals.leaderMs >= CALM_MS;
}

/** G02: one that is away could come back unable to read what was decided. */
export function answers(
  { snapshot, view }: CheckFacts,
  severity: Severity = "fail",
): Check {
  const object = severity === "fail" ? failed : warned;
  const evidence = view.names.map((name) => {
    const isUp = view.member(name)?.up ?? true;
    if (isUp && view.encryption(name) !== null) return passed(name, "answers");
    const failure = snapshot.members.find(({ member }) => member === name)
      ?.failure ?? null;
    return object(name, {
      text: isUp ? silenceText(failure) : "does not answer",
      remedy: "Start it, or reconnect it, until `sealkv status` shows it up",
    });
  });
  return makeCheck("G02", "All members answer", evidence);
}

/** Of one that the others hear: it is its admin address that is in the way. */
function silenceText(failure: NodeError | null): string {
  return failure === null || failure.code === "ADMIN_UNREACHABLE"
    ? "its admin address does not answer"
    : failure.message;
}

/** G03: who comes anew has to catch up before it can prove anything. */
export function membersAreSettled({ view }: CheckFacts): Check {
  const evidence = view.names.map((name): Evidence => {
    const member = view.member(name);
    if (member === null || member.isVoter) return passed(name, "votes");
    const { lag, replication } = member;
    const isBehind = lag > LAG_MAX || replication === "snapshot";
    return isBehind
      ? warned(name, {
        text: `learns, and is ${lag} entries behind`,
        remedy: "Wait until `sealkv status` shows that it caught up",
      })
      : passed(name, "learns, and has caught up");
  });
  return makeCheck("G03", "Members are settled", evidence);
}

/** G05: whoever is far behind applies the step long after the others. */
export function keepsUp({ view }: CheckFacts): Check {
  const evidence = view.names.map((name): Evidence => {
    const { lag, replication } = view.member(name) ??
      { lag: 0n, replication: "unknown" };
    const isCopying = replication === "snapshot";
    if (!isCopying && lag <= LAG_MAX) {
      return passed(name, lag === 0n ? "not behind" : `${lag} entries behind`);
    }
    return warned(name, {
      text: isCopying
        ? "is being sent a copy of the store"
        : `${lag} entries behind, limit ${LAG_MAX}`,
      remedy: "Wait until `sealkv status` shows it less far behind",
    });
  });
  return makeCheck("G05", "Members keep up", evidence);
}

/** G06: a step is no good moment to be one failure away from a stop. */
export function canLoseOne({ snapshot: { status } }: CheckFacts): Check {
  const voters = status.members.filter(({ isVoter }) => isVoter);
  const up = voters.filter((voter) => voter.up).length;
  const quorum = Math.floor(voters.length / 2) + 1;
  const text = `${up} of ${voters.length} voters up, ${quorum} needed`;
  const isSpare = voters.length < VOTERS_MIN || up - 1 >= quorum;
  const evidence = isSpare ? passed(CLUSTER, text) : warned(CLUSTER, {
    text: `${text}: with one less nothing can be written`,
    remedy: "Start the voters that are down; `sealkv status` shows them",
  });
  return makeCheck("G06", "One more may fail", [evidence]);
}

/** G09: long changes hold each other up, and short ones little. */
export function isAlone(
  { step, snapshot: { underWay } }: CheckFacts,
  severity: Severity = "fail",
): Check {
  const object = severity === "fail" ? failed : warned;
  const isOther = underWay !== null && stepOfAction(underWay.action) !== step;
  const evidence = isOther
    ? object(CLUSTER, {
      text: `${underWay.action} is under way`,
      remedy:
        "Wait until it ends; `sealkv encryption history` tells what became of it",
    })
    : passed(CLUSTER, "no other change is under way");
  return makeCheck("G09", "No other change", [evidence]);
}
