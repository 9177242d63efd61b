import type { Check, Evidence, Verdict } from "../../src/rollout/check.ts";
import type { Tone } from "../look.ts";
import { hanging, type Row } from "./paragraph.ts";

const MARKS: Readonly<Record<Verdict, readonly [string, Tone]>> = {
  pass: ["[x]", "good"],
  warn: ["[w]", "warn"],
  fail: ["[!]", "bad"],
};

export interface CheckRowsOptions {
  /** Those that pass as well, one by one. */
  readonly showsAll: boolean;
  /** Those that pass not even by name. */
  readonly issuesOnly: boolean;
  readonly width: number;
}

/** What stands in the way first, then what is to be known, then the rest. */
export function checkRows(
  checks: readonly Check[],
  { showsAll, issuesOnly, width }: CheckRowsOptions,
): readonly Row[] {
  const of = (verdict: Verdict) =>
    checks.filter((check) => check.verdict === verdict);
  const issues = [...of("fail"), ...of("warn")];
  const passed = of("pass");
  const rest = issuesOnly
    ? []
    : showsAll
    ? passed.flatMap((check) => oneCheck(check, width))
    : passedRows(passed, width);
  const known = new Map<string, string>();
  return [
    ...issues.flatMap((check) => oneCheck(check, width, known)),
    ...rest,
  ];
}

/** How it looks: "4 of 12 fail, 2 warn". */
export function checkSummary(checks: readonly Check[]): string {
  const count = (verdict: Verdict) =>
    checks.filter((check) => check.verdict === verdict).length;
  const [fail, warn] = [count("fail"), count("warn")];
  if (fail + warn === 0) return `all ${checks.length} pass`;
  const issues = [
    ...fail === 0 ? [] : [`${fail} fail`],
    ...warn === 0 ? [] : [`${warn} warn`],
  ];
  return `${issues.join(", ")} of ${checks.length}`;
}

/** `known` has remedies that were shown already, by the checks they are of. */
function oneCheck(
  check: Check,
  width: number,
  known: Map<string, string> = new Map(),
): readonly Row[] {
  const { id, title, verdict, evidence } = check;
  const [mark, tone] = MARKS[verdict];
  const head = [
    { text: mark, tone },
    { text: ` ${id} `, tone: "strong" },
  ] as const;
  const said = verdict === "pass"
    ? evidence
    : evidence.filter((one) => one.verdict !== "pass");
  return [
    ...hanging(head, { text: `${title}: ${textsOf(said)}`, width }),
    ...remediesOf(said).flatMap((remedy) => {
      const before = known.get(remedy);
      if (before === undefined) known.set(remedy, id);
      const text = before === undefined ? remedy : `fix: as ${before}`;
      return hanging([{ text: "        " }], { text, width });
    }),
  ];
}

/** What members have in common is said once. */
function textsOf(evidence: readonly Evidence[]): string {
  const texts = [...new Set(evidence.map(({ text }) => text))];
  return texts.map((text) => {
    const members = membersOf(evidence.filter((one) => one.text === text));
    return members === "" ? text : `${members} ${text}`;
  }).join("; ");
}

/** Each with those it is for. */
function remediesOf(evidence: readonly Evidence[]): readonly string[] {
  const remedies = [...new Set(evidence.map(({ remedy }) => remedy))];
  return remedies.filter((remedy) => remedy !== "").map((remedy) => {
    const members = membersOf(
      evidence.filter((one) => one.remedy === remedy),
    );
    return members === "" ? `fix: ${remedy}` : `fix ${members}: ${remedy}`;
  });
}

function membersOf(evidence: readonly Evidence[]): string {
  const members = evidence.map(({ member }) => member);
  return [...new Set(members)].filter((member) => member !== "").join(", ");
}

function passedRows(
  passed: readonly Check[],
  width: number,
): readonly Row[] {
  if (passed.length === 0) return [];
  const ids = passed.map(({ id }) => id).sort().join(" ");
  return hanging([{ text: "[x] ", tone: "good" }], {
    text: `${ids} pass`,
    tone: "dim",
    width,
  });
}

/** The check that only a person can make: by a copy of the KEK elsewhere. */
export function escrowRows(isProven: boolean, width: number): readonly Row[] {
  const head = [
    isProven
      ? { text: "[x]", tone: "good" } as const
      : { text: "[w]", tone: "warn" } as const,
    { text: " K05 ", tone: "strong" } as const,
  ];
  const text = isProven
    ? "Escrow: the copy that is kept elsewhere is of the KEK in use"
    : "Escrow: not shown yet that a copy of the KEK is kept elsewhere (e)";
  return hanging(head, { text, width });
}
