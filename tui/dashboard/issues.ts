import type {
  ClusterMember,
  ClusterStatus,
  MemberEncryption,
  MemberVitals,
} from "../../src/admin/client.ts";
import { sizeText } from "../../src/base/size.ts";
import { percentText } from "./amount.ts";
import { LAG_MAX } from "./member_rows.ts";
import type { Seen } from "./seen.ts";

/** Below this share of free disk one-way steps are warned of. */
const FREE_SHARE_MIN = 0.3;

/** Something that an operator wants to look at. */
export interface Issue {
  /** Name of a member; "" for the cluster. */
  readonly member: string;
  readonly text: string;
  readonly remedy: string;
  /** It can wait. */
  readonly isWarning: boolean;
}

/** Of the cluster first, then member by member. */
export function issuesOf(seen: Seen): readonly Issue[] {
  const { status, silence, history, encryption, rewrite } = seen;
  const issues = [...clusterIssues(status, silence)];
  // A cluster that does without encryption lacks nothing.
  const isSealing = encryption.some((one) =>
    one.encryption?.own.isEnabled === true
  );
  for (const member of status.members) {
    issues.push(
      ...memberIssues(member),
      ...vitalsIssues(member, history.last),
      ...encryptionIssues(member, isSealing ? encryption : []),
    );
  }
  for (const { member, state, failure } of rewrite?.members ?? []) {
    if (state !== "failed") continue;
    issues.push({
      member,
      isWarning: false,
      text: `its rewrite failed: ${failure}`,
      remedy: "see `sealkv encryption status` and the member's log",
    });
  }
  return issues;
}

/** How many there are: "all is well", "1 issue, 3 warnings". */
export function issuesText(issues: readonly Issue[]): string {
  const warnings = issues.filter(({ isWarning }) => isWarning).length;
  const texts = [
    countedText(issues.length - warnings, "issue"),
    countedText(warnings, "warning"),
  ];
  return texts.filter((text) => text !== "").join(", ") || "all is well";
}

function countedText(count: number, noun: string): string {
  return count === 0 ? "" : `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function clusterIssues(
  { leader }: ClusterStatus,
  silence: string,
): readonly Issue[] {
  if (silence !== "") {
    return [{
      member: "",
      isWarning: false,
      text: `nobody answers: ${silence}`,
      remedy: "see that members run; name more of them in --admin",
    }];
  }
  return leader !== "" ? [] : [{
    member: "",
    isWarning: false,
    text: "nobody leads: no writes",
    remedy: "start members until more than half of the voters are up",
  }];
}

function memberIssues(member: ClusterMember): readonly Issue[] {
  const { name, up, ready, lag, hasStarted } = member;
  const issue = (text: string, remedy: string) => [
    { member: name, text, remedy, isWarning: false },
  ];
  if (!up) {
    return hasStarted
      ? issue("it is down", "start it, and see its log if it ends again")
      : issue("it was never started", "start it with `sealkv serve --join`");
  }
  if (lag > LAG_MAX) {
    return issue(
      `it is ${lag} entries behind, most ${LAG_MAX}`,
      `wait, or see \`sealkv status --node ${name}\``,
    );
  }
  if (!ready) {
    return issue("it is not ready", `see \`sealkv status --node ${name}\``);
  }
  return [];
}

function vitalsIssues(
  { name, up }: ClusterMember,
  all: readonly MemberVitals[],
): readonly Issue[] {
  const own = all.find(({ member }) => member === name);
  if (own === undefined || !up) return [];
  if (own.vitals === null) {
    const { message, remedy } = own.failure;
    const text = `no figures: ${message}`;
    return [{ member: name, text, remedy, isWarning: true }];
  }
  const { diskFreeBytes, diskTotalBytes } = own.vitals;
  if (diskTotalBytes === 0n) return [];
  const share = Number(diskFreeBytes) / Number(diskTotalBytes);
  if (share >= FREE_SHARE_MIN) return [];
  const free = `${percentText(share)} (${sizeText(Number(diskFreeBytes))})`;
  return [{
    member: name,
    text: `disk ${free} free, least ${percentText(FREE_SHARE_MIN)}`,
    remedy: "make room on the file system of its data dir",
    isWarning: true,
  }];
}

function encryptionIssues(
  { name, up }: ClusterMember,
  all: readonly MemberEncryption[],
): readonly Issue[] {
  const own = all.find(({ member }) => member === name);
  if (own === undefined || !up) return [];
  if (own.encryption === null) {
    const { message, remedy } = own.failure;
    const text = `no keys told: ${message}`;
    return [{ member: name, text, remedy, isWarning: true }];
  }
  return own.encryption.own.gaps.map((gap) => {
    const [text, remedy] = halves(gap);
    return { member: name, text, remedy, isWarning: false };
  });
}

/** What is missing, with its cause in parentheses, a colon and what to do. */
function halves(gap: string): readonly [string, string] {
  const end = gap.indexOf("): ");
  const at = end === -1 ? gap.indexOf(": ") : end + 1;
  return at === -1 ? [gap, ""] : [gap.slice(0, at), gap.slice(at + 2)];
}
