import { toHex, utf8 } from "../../base/bytes.ts";
import { sha256 } from "../../base/sha256.ts";
import type {
  EncryptionState,
  KeyEntry,
  MemberId,
  RolloutState,
} from "../../fsm/types.ts";
import { KekUnknownError } from "../../keys/errors.ts";
import type { Term } from "../../raft/types.ts";
import type { EncryptionRequest } from "../encryption_port.ts";
import { ConfirmationWrongError, PlanStaleError } from "../member_errors.ts";
import type { ChangePlan, ChangeTerms } from "../port.ts";
import { NotBootstrappedError } from "./change_errors.ts";
import {
  askStep,
  done,
  drawStep,
  mustNotCollide,
  namesOf,
  needed,
  type Outline,
} from "./outline.ts";
import {
  isOneWay,
  isStep,
  stepOutline,
  type StepRequest,
} from "./step_plan.ts";

/** What a change is planned in. */
export interface EncryptionFacts {
  readonly clusterName: string;
  readonly self: { readonly id: MemberId; readonly name: string };
  readonly term: Term;
  /** In any role, by raft id. */
  readonly members: readonly { readonly id: MemberId; readonly name: string }[];
  readonly encryption: EncryptionState;
  /** Of this node, the primary first. */
  readonly kekIds: readonly string[];
  /** Whether the registry shows all of this node's epochs. */
  readonly isRegistered: boolean;
  readonly rollout: RolloutState;
  /** By this node's clock, Unix ms. */
  readonly nowMs: number;
}

/** Changes of the keys themselves. */
export type KeyRequest = Exclude<EncryptionRequest, StepRequest>;

export interface PlannedEncryption {
  readonly plan: ChangePlan;
  /** False when all is as asked already. */
  readonly isNeeded: boolean;
  /** Of the entry that did it before; 0 for none. */
  readonly index: number;
}

/**
 * Plans `request`, or says why it must not be.
 *
 * @throws {NodeError} NODE_NOT_BOOTSTRAPPED, NODE_ID_COLLISION,
 * KEYS_KEK_UNKNOWN, NODE_PLAN_STALE, NODE_CONFIRMATION_WRONG, and what
 * `stepOutline` throws.
 */
export function planEncryption(
  request: EncryptionRequest,
  terms: ChangeTerms,
  facts: EncryptionFacts,
): PlannedEncryption {
  const hash = encryptionPlanHash(request, facts);
  if (terms.planHash !== "" && terms.planHash !== hash) {
    throw new PlanStaleError(terms.planHash, hash);
  }
  const { steps, isNeeded, index } = isStep(request)
    ? stepOutline(request, terms, facts)
    : keyOutline(request, facts);
  const { clusterName } = facts;
  if (
    isOneWay(request) && isNeeded && !terms.dryRun &&
    terms.confirm !== clusterName
  ) throw new ConfirmationWrongError(terms.confirm, clusterName);
  return { plan: { hash, steps }, isNeeded, index };
}

function keyOutline(request: KeyRequest, facts: EncryptionFacts): Outline {
  const { encryption } = facts;
  if (request.kind === "bootstrap") return bootstrapOf(facts);
  if (encryption.keys.size === 0) throw new NotBootstrappedError(request.kind);
  if (request.kind === "rotate-dek") return rotationOf(request, facts);
  if (request.kind === "rewrap-deks") return rewrapOf(request.keks, facts);
  return facts.isRegistered
    ? done(`the epochs of "${facts.self.name}" are registered`, 0)
    : needed([`register the epochs of "${facts.self.name}"`]);
}

function bootstrapOf(
  { encryption, members, kekIds }: EncryptionFacts,
): Outline {
  const first = encryption.keys.get(encryption.stateKey);
  if (first !== undefined) {
    const index = first.createdIndex;
    return done(`the first keys are there since entry ${index}`, index);
  }
  mustNotCollide(members);
  return needed([
    askStep(members),
    drawStep(kekIds),
    "seal nothing yet",
  ]);
}

function rotationOf(
  { purpose }: Extract<KeyRequest, { kind: "rotate-dek" }>,
  { encryption, members, kekIds }: EncryptionFacts,
): Outline {
  const active = encryption.keys.get(encryption.active[purpose]);
  for (const { kek } of active?.wraps ?? []) mustHave(kek, kekIds);
  return needed([
    askStep(members),
    `draw a ${purpose} key in the place of ${encryption.active[purpose]}`,
    "keep the old one for reading",
  ]);
}

function rewrapOf(
  asked: readonly string[],
  { encryption, members, kekIds }: EncryptionFacts,
): Outline {
  for (const kek of asked) mustHave(kek, kekIds);
  const keks = asked.length === 0 ? kekIds.slice(0, 1) : [...new Set(asked)];
  const all = [...encryption.keys.values()];
  if (all.every((key) => isUnder(key, keks))) {
    return done(`every key is wrapped under ${keks.join(", ")} alone`, 0);
  }
  return needed([
    `ask ${namesOf(members)} to prove that they have one of ${keks.join(", ")}`,
    `wrap ${all.length} keys under ${keks.join(", ")} and nothing else`,
  ]);
}

/** @throws {KekUnknownError} */
function mustHave(kek: string, kekIds: readonly string[]): void {
  if (!kekIds.includes(kek)) throw new KekUnknownError(kek, kekIds);
}

function isUnder({ wraps }: KeyEntry, keks: readonly string[]): boolean {
  return wraps.length === keks.length &&
    wraps.every(({ kek }) => keks.includes(kek));
}

/** Over everything that makes a plan another one; 16 hex digits. */
export function encryptionPlanHash(
  request: EncryptionRequest,
  facts: EncryptionFacts,
): string {
  const { clusterName, self, term, members, encryption, rollout } = facts;
  const { stateIndex, active, stateKey } = encryption;
  const text = JSON.stringify([
    ...["sealkv encryption plan v2", clusterName, self.id, term],
    ...[members.map(({ id, name }) => [id, name]), request],
    ...[stateIndex, active, stateKey, [...encryption.keys.keys()]],
    ...[rollout.rewrite, rollout.dwellUntilMs],
  ]);
  return toHex(sha256(utf8(text))).slice(0, 16);
}
