import { unreachable } from "../../base/assert.ts";
import { phaseOf } from "../../fsm/encryption.ts";
import type { EncryptionState } from "../../fsm/types.ts";
import type { EncryptionRequest } from "../encryption_port.ts";
import { MemberUnknownError } from "../member_errors.ts";
import type { ChangeTerms } from "../port.ts";
import { NotBootstrappedError } from "./change_errors.ts";
import type { EncryptionFacts } from "./change_plan.ts";
import {
  askStep,
  done,
  drawStep,
  mustNotCollide,
  namesOf,
  needed,
  type Outline,
} from "./outline.ts";
import { notRetirable } from "./retire.ts";
import {
  CleartextUnlockedError,
  DwellNotOverError,
  PhaseTooLowError,
  RewriteNotStartedError,
  timeText,
} from "./step_errors.ts";

/** Changes of the rollout, the keys themselves left out. */
export type StepRequest = Exclude<
  EncryptionRequest,
  { kind: "bootstrap" | "rotate-dek" | "rewrap-deks" | "register-writer" }
>;

const ONE_WAY: readonly EncryptionRequest["kind"][] = [
  "enable-storage-envelope",
  "seal-cleartext",
  "enable-raft-envelope",
  "retire-dek",
];
/** Risks that `accept` of a change may name. */
const UNREWRITTEN = "unrewritten";
const SHORT_DWELL = "short-dwell";

/** Tells whether the step can never be taken back: it wants the cluster's name. */
export function isOneWay({ kind }: EncryptionRequest): boolean {
  return ONE_WAY.includes(kind);
}

export function isStep(request: EncryptionRequest): request is StepRequest {
  switch (request.kind) {
    case "bootstrap":
    case "rotate-dek":
    case "rewrap-deks":
    case "register-writer":
      return false;
    default:
      return true;
  }
}

/**
 * What a step of the rollout comes to.
 *
 * @throws {NodeError} NODE_NOT_BOOTSTRAPPED, NODE_PHASE_TOO_LOW,
 * NODE_CLEARTEXT_UNLOCKED, NODE_DWELL_NOT_OVER, NODE_REWRITE_NOT_STARTED,
 * NODE_KEY_NOT_RETIRABLE, NODE_MEMBER_UNKNOWN.
 */
export function stepOutline(
  request: StepRequest,
  terms: ChangeTerms,
  facts: EncryptionFacts,
): Outline {
  switch (request.kind) {
    case "enable-storage-envelope":
      return storageOf(facts);
    case "enable-raft-envelope":
      return raftOf(terms, facts);
    case "seal-cleartext":
      return lockOf(terms, facts);
    case "retire-dek":
      return retirementOf(request.keyId, terms, facts);
    case "start-rewrite":
      mustSealRecords(request.kind, facts.encryption);
      return needed([
        `re-seal on ${
          namesOf(facts.members)
        } what is cleartext or under an older key, ${
          rateText(request.bytesPerSecond)
        }`,
      ]);
    case "pause-rewrite":
    case "resume-rewrite":
      return jobOf(request, facts);
    case "scrub":
      return scrubOf(request.members, facts);
    case "update-rollout":
      return dwellOf(request.dwellUntilMs, facts);
    default:
      return unreachable(request);
  }
}

function storageOf(facts: EncryptionFacts): Outline {
  const { encryption, members, kekIds } = facts;
  const { storageCutoverIndex: index } = encryption;
  if (index > 0) return done(`records are sealed since entry ${index}`, index);
  const isFirst = encryption.keys.size === 0;
  if (isFirst) mustNotCollide(members);
  const first = isFirst ? [drawStep(kekIds)] : [];
  return needed([
    askStep(members),
    ...first,
    `seal every record that is written from then on, on ${namesOf(members)}`,
    "leave older records as they are until `sealkv encryption rewrite`",
    "never go back: the cluster needs its keys for life",
  ]);
}

function raftOf(terms: ChangeTerms, facts: EncryptionFacts): Outline {
  const { encryption, members } = facts;
  const action = "enable-raft-envelope";
  const { raftCutoverIndex: index } = encryption;
  if (index > 0) return done(`the log is sealed since entry ${index}`, index);
  mustSealRecords(action, encryption);
  const isLocked = encryption.cleartextLockIndex > 0;
  if (!isLocked && !terms.accept.includes(UNREWRITTEN)) {
    throw new CleartextUnlockedError(action);
  }
  mustHaveDwelt(action, terms, facts);
  return needed([
    askStep(members),
    "let writes wait until all before is applied, for about one commit",
    "seal every entry of the log from then on",
    "never go back: the log is not readable without its keys",
  ]);
}

function lockOf(terms: ChangeTerms, facts: EncryptionFacts): Outline {
  const { encryption, members } = facts;
  const { cleartextLockIndex: index } = encryption;
  if (index > 0) {
    return done(`the cleartext is locked since entry ${index}`, index);
  }
  mustSealRecords("seal-cleartext", encryption);
  mustHaveDwelt("seal-cleartext", terms, facts);
  return needed([
    `count on ${namesOf(members)} that no cleartext record is left`,
    "take a cleartext record for damage from then on",
    "never go back",
  ]);
}

function retirementOf(
  keyId: number,
  terms: ChangeTerms,
  facts: EncryptionFacts,
): Outline {
  const { encryption, members } = facts;
  mustHaveKeys("retire-dek", encryption);
  if (encryption.retired.has(keyId)) {
    return done(`key ${keyId} is retired`, 0);
  }
  const refusal = notRetirable(encryption, keyId);
  if (refusal !== null) throw refusal;
  mustHaveDwelt("retire-dek", terms, facts);
  return needed([
    `have ${namesOf(members)} show that nothing is left that it sealed`,
    `forget key ${keyId} for ever: a backup carries it wrapped, other copies of what it sealed are lost`,
  ]);
}

function jobOf(
  request: Extract<
    StepRequest,
    { kind: "pause-rewrite" | "resume-rewrite" }
  >,
  { rollout }: EncryptionFacts,
): Outline {
  const { rewrite } = rollout;
  if (rewrite === null) throw new RewriteNotStartedError(request.kind);
  if (request.kind === "pause-rewrite") {
    return rewrite.isPaused
      ? done("the rewrite rests", rewrite.id)
      : needed(["let the rewrite rest on every member"]);
  }
  const rate = request.bytesPerSecond ?? rewrite.bytesPerSecond;
  return !rewrite.isPaused && rate === rewrite.bytesPerSecond
    ? done(`the rewrite goes on, ${rateText(rate)}`, rewrite.id)
    : needed([`let the rewrite go on, ${rateText(rate)}`]);
}

function scrubOf(
  asked: readonly string[],
  { encryption, members }: EncryptionFacts,
): Outline {
  const phase = phaseOf(encryption);
  if (phase < 2) {
    const command = phase === 0
      ? "enable-storage-envelope"
      : "enable-raft-envelope";
    throw new PhaseTooLowError(
      "scrub",
      phase,
      "the log must be sealed",
      command,
    );
  }
  if (encryption.cleartextLockIndex === 0) {
    throw new PhaseTooLowError(
      "scrub",
      phase,
      "the cleartext must be locked",
      "seal-cleartext",
    );
  }
  const names = asked.length === 0
    ? namesOf(members)
    : namesOf(asked.map((name) => memberOf(name, members)));
  return needed([
    `make the store of ${names} anew, and remove the old one`,
    `remove every file of their logs and checkpoints that held cleartext`,
  ]);
}

/** @throws {MemberUnknownError} */
function memberOf(
  name: string,
  members: EncryptionFacts["members"],
): EncryptionFacts["members"][number] {
  const member = members.find((one) => one.name === name);
  if (member === undefined) throw new MemberUnknownError(name);
  return member;
}

function dwellOf(untilMs: number, { rollout }: EncryptionFacts): Outline {
  if (untilMs === rollout.dwellUntilMs) {
    return done(
      untilMs === 0 ? "no step waits" : `steps wait until ${timeText(untilMs)}`,
      0,
    );
  }
  return needed([
    untilMs === 0
      ? "let later one-way steps wait no longer"
      : `let later one-way steps wait until ${timeText(untilMs)}`,
  ]);
}

function rateText(bytesPerSecond: number): string {
  return bytesPerSecond === 0
    ? "at any rate"
    : `at ${bytesPerSecond} bytes a second on each`;
}

/** @throws {NotBootstrappedError} */
function mustHaveKeys(action: string, { keys }: EncryptionState): void {
  if (keys.size === 0) throw new NotBootstrappedError(action);
}

/** @throws {PhaseTooLowError} */
function mustSealRecords(action: string, encryption: EncryptionState): void {
  if (phaseOf(encryption) > 0) return;
  throw new PhaseTooLowError(
    action,
    0,
    "records must be sealed",
    "enable-storage-envelope",
  );
}

/** @throws {DwellNotOverError} Unless the risk is accepted. */
function mustHaveDwelt(
  action: string,
  { accept }: ChangeTerms,
  { rollout, nowMs }: EncryptionFacts,
): void {
  const { dwellUntilMs } = rollout;
  if (dwellUntilMs <= nowMs || accept.includes(SHORT_DWELL)) return;
  throw new DwellNotOverError(action, dwellUntilMs);
}
