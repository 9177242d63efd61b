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
export function hasSameKek({ snapshot, view }: CheckFacts): Check {
  const { leader } = snapshot.status;
  const primaries = view.names.flatMap((name) =>
    view.encryption(name)?.own.kekIds[0] ?? []
  );
  const wanted = view.encryption(leader)?.own.kekIds[0] ?? primaries[0] ?? "";
  const evidence = view.names.map((name): Evidence => {
    const encryption = view.encryption(name);
    if (encryption === null) return warned(name, NOT_KNOWN);
    const [primary] = encryption.own.kekIds;
    if (primary === undefined) {
      const text = wanted === "" ? "has no KEK" : `has no KEK, want ${wanted}`;
      return failed(name, { text, remedy: `Restart it ${FIRST_KEK}` });
    }
    if (primary === wanted) return passed(name, primary);
    return warned(name, {
      text: `${primary}, the leader has ${wanted}`,
      remedy: "Restart it with the leader's KEK as its first --kek",
    });
  });
  return makeCheck("K01", "Same KEK everywhere", evidence);
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
    return objected(finding, code === UNREACHABLE ? ofSilent : "fail");
  });
  return makeCheck("K02", "Keys open each other's", evidence);
}

/** K03: flag, KEK and sidecar, as each member says of itself. */
export function canKeepKeys({ view }: CheckFacts): Check {
  const evidence = view.names.flatMap((name): readonly Evidence[] => {
    const encryption = view.encryption(name);
    if (encryption === null) return [warned(name, NOT_KNOWN)];
    const { gaps } = encryption.own;
    if (gaps.length === 0) return [passed(name, "has all that it needs")];
    return gaps.map((gap) => failed(name, gapObjection(gap)));
  });
  return makeCheck("K03", "KEK and sidecar usable", evidence);
}

/** Lines of gaps are `what: remedy`; what may end in a cause in brackets. */
function gapObjection(gap: string): Objection {
  const ofCause = gap.indexOf("): ");
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
