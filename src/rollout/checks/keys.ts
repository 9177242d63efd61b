import type { MemberCapability } from "../../admin/client.ts";
import type { Check, Evidence } from "../check.ts";
import type { CheckFacts } from "./facts.ts";
import {
  CLUSTER,
  failed,
  makeCheck,
  type Objection,
  passed,
  type Severity,
  warned,
} from "./make_check.ts";

const OLD_VERSION = "old-version";
const UNREACHABLE = "unreachable";
const FIRST_KEK =
  "with --encryption-enabled --kek file:PATH, a copy of the same KEK file on each member";

/** In the line of a gap, between a cause in brackets and the remedy. */
const CAUSE_END = "): ";

const NOT_KNOWN: Objection = {
  text: "not known: it does not answer",
  remedy: "Start it, or reconnect it, until `sealkv status` shows it up",
};

/** G04: a member that knows nothing of envelopes could not go on. */
export function knowsEnvelopes(facts: CheckFacts): Check {
  const evidence = ofFindings(
    facts,
    (finding) =>
      finding.code === OLD_VERSION
        ? objected(finding, "fail")
        : finding.code === UNREACHABLE
        ? failed(finding.member, NOT_KNOWN)
        : passed(finding.member, "knows envelopes"),
  );
  return makeCheck("G04", "Releases know envelopes", evidence);
}

/** K01: which KEK each member would wrap under; K02 has the proof. */
export function hasSameKek(facts: CheckFacts): Check {
  const { view } = facts;
  const wanted = wantedKek(facts);
  const evidence = view.names.map((name): Evidence => {
    const encryption = view.encryption(name);
    if (encryption === null) return warned(name, NOT_KNOWN);
    const [primary] = encryption.own.kekIds;
    if (primary === undefined) {
      const text = wanted === "" ? "has no KEK" : `has no KEK, want ${wanted}`;
      return failed(name, { text, remedy: kekRemedy(facts) });
    }
    if (primary === wanted) return passed(name, primary);
    return warned(name, {
      text: `${primary}, the leader has ${wanted}`,
      remedy: "Restart it with the leader's KEK as its first --kek",
    });
  });
  return makeCheck("K01", "Same KEK everywhere", evidence);
}

/** The leader's, else that of any member; "" while none has one. */
function wantedKek({ snapshot, view }: CheckFacts): string {
  const primaries = [snapshot.status.leader, ...view.names].flatMap((name) =>
    view.encryption(name)?.own.kekIds[0] ?? []
  );
  return primaries[0] ?? "";
}

/** For a member that has none, which must not be given another one. */
function kekRemedy(facts: CheckFacts): string {
  const wanted = wantedKek(facts);
  return wanted === "" ? `Restart it ${FIRST_KEK}` : "Restart it with " +
    `--encryption-enabled --kek file:PATH, a copy of the KEK that the others have (${wanted})`;
}

/** It has no KEK, while others have: what else it lacks follows of it. */
function lacksKek({ view }: CheckFacts, name: string): boolean {
  const encryption = view.encryption(name);
  if (encryption === null) return false;
  const { kekIds, gaps } = encryption.own;
  return kekIds.length === 0 && gaps.length > 0 &&
    !gaps.some((gap) => gap.includes(CAUSE_END));
}

/** K02: the bytes are the same, not just the name. */
export function opensWraps(
  facts: CheckFacts,
  ofSilent: Severity = "fail",
): Check {
  const evidence = ofFindings(facts, (finding) => {
    const { member, code } = finding;
    if (code === "") return passed(member, "opens what the leader wraps");
    if (code === OLD_VERSION) return failed(member, NOT_KNOWN);
    if (lacksKek(facts, member)) {
      const { message: text } = finding;
      return failed(member, { text, remedy: kekRemedy(facts) });
    }
    return objected(finding, code === UNREACHABLE ? ofSilent : "fail");
  });
  return makeCheck("K02", "Keys open each other's", evidence);
}

/** K03: flag, KEK and sidecar, as each member says of itself. */
export function canKeepKeys(facts: CheckFacts): Check {
  const { view } = facts;
  const isFirst = wantedKek(facts) === "";
  const evidence = view.names.flatMap((name): readonly Evidence[] => {
    const encryption = view.encryption(name);
    if (encryption === null) return [warned(name, NOT_KNOWN)];
    const { gaps } = encryption.own;
    if (gaps.length === 0) return [passed(name, "has all that it needs")];
    const objections = gaps.map(gapObjection);
    if (!isFirst && lacksKek(facts, name)) {
      const text = objections.map((one) => one.text).join("; ");
      return [failed(name, { text, remedy: kekRemedy(facts) })];
    }
    return objections.map((objection) => failed(name, objection));
  });
  return makeCheck("K03", "KEK and sidecar usable", evidence);
}

/** Lines of gaps are `what: remedy`; what may end in a cause in brackets. */
function gapObjection(gap: string): Objection {
  const ofCause = gap.indexOf(CAUSE_END);
  const end = ofCause < 0 ? gap.indexOf(": ") : ofCause + 1;
  if (end < 0) return { text: gap, remedy: `Restart it ${FIRST_KEK}` };
  const remedy = gap.slice(end + 2);
  const first = remedy.charAt(0).toUpperCase();
  return { text: gap.slice(0, end), remedy: `${first}${remedy.slice(1)}` };
}

function ofFindings(
  { snapshot: { capabilities }, view }: CheckFacts,
  judge: (finding: MemberCapability) => Evidence,
): readonly Evidence[] {
  if (capabilities === null) {
    return [failed(CLUSTER, {
      text: "members were not asked: no leader could ask them",
      remedy:
        "See to the other checks first: a leader asks once it has a KEK itself",
    })];
  }
  return view.names.map((name) => {
    const finding = capabilities.find(({ member }) => member === name);
    return finding === undefined
      ? failed(name, {
        text: "was not asked yet",
        remedy: "Wait until it is asked: it is a new member",
      })
      : judge(finding);
  });
}

function objected(
  { member, message: text, remedy }: MemberCapability,
  severity: Severity,
): Evidence {
  const object = severity === "fail" ? failed : warned;
  return object(member, { text, remedy });
}
