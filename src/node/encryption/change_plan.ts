import { toHex, utf8 } from "../../base/bytes.ts";
import { fullNodeId } from "../../base/identity.ts";
import { sha256 } from "../../base/sha256.ts";
import type { EncryptionState, KeyEntry, MemberId } from "../../fsm/types.ts";
import { KekUnknownError } from "../../keys/errors.ts";
import type { Term } from "../../raft/types.ts";
import type { EncryptionRequest } from "../encryption_port.ts";
import { PlanStaleError } from "../member_errors.ts";
import type { ChangePlan, ChangeTerms } from "../port.ts";
import {
  EncryptionNotAvailableError,
  NotBootstrappedError,
} from "./change_errors.ts";
import { NodeIdCollisionError } from "./errors.ts";
import { nonceRival } from "./nonce_rival.ts";

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
}

/** Changes that this release carries out. */
export type AvailableRequest = Extract<
  EncryptionRequest,
  { kind: "bootstrap" | "rotate-dek" | "rewrap-deks" | "register-writer" }
>;

export interface PlannedEncryption {
  readonly plan: ChangePlan;
  /** False when all is as asked already. */
  readonly isNeeded: boolean;
  /** Of the entry that did it before; 0 for none. */
  readonly index: number;
}

/** @throws {EncryptionNotAvailableError} */
export function availableRequest(request: EncryptionRequest): AvailableRequest {
  switch (request.kind) {
    case "bootstrap":
    case "rotate-dek":
    case "rewrap-deks":
    case "register-writer":
      return request;
    default:
      throw new EncryptionNotAvailableError(request.kind);
  }
}

/**
 * Plans `request`, or says why it must not be.
 *
 * @throws {NodeError} NODE_NOT_BOOTSTRAPPED, NODE_ID_COLLISION,
 * KEYS_KEK_UNKNOWN, NODE_PLAN_STALE.
 */
export function planEncryption(
  request: AvailableRequest,
  terms: ChangeTerms,
  facts: EncryptionFacts,
): PlannedEncryption {
  const hash = planHash(request, facts);
  if (terms.planHash !== "" && terms.planHash !== hash) {
    throw new PlanStaleError(terms.planHash, hash);
  }
  const { steps, isNeeded, index } = outlineOf(request, facts);
  return { plan: { hash, steps }, isNeeded, index };
}

interface Outline {
  readonly steps: readonly string[];
  readonly isNeeded: boolean;
  readonly index: number;
}

function outlineOf(
  request: AvailableRequest,
  facts: EncryptionFacts,
): Outline {
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
  const ids = members.map(({ name }) => fullNodeId(name));
  for (const { name } of members) {
    const rival = nonceRival(name, ids);
    if (rival !== null) throw new NodeIdCollisionError(name, rival);
  }
  return needed([
    `ask ${namesOf(members)} to prove that they can use encryption`,
    `draw a storage, a raft and a state key, wrapped under ${
      kekIds.join(", ")
    }`,
    "seal nothing yet",
  ]);
}

function rotationOf(
  { purpose }: Extract<AvailableRequest, { kind: "rotate-dek" }>,
  { encryption, members, kekIds }: EncryptionFacts,
): Outline {
  const active = encryption.keys.get(encryption.active[purpose]);
  for (const { kek } of active?.wraps ?? []) mustHave(kek, kekIds);
  return needed([
    `ask ${namesOf(members)} to prove that they can use encryption`,
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

function done(what: string, index: number): Outline {
  return { steps: [what], isNeeded: false, index };
}

function needed(steps: readonly string[]): Outline {
  return { steps, isNeeded: true, index: 0 };
}

function namesOf(members: EncryptionFacts["members"]): string {
  return members.map(({ name }) => `"${name}"`).join(", ");
}

/** Over everything that makes a plan another one. */
function planHash(request: AvailableRequest, facts: EncryptionFacts): string {
  const { clusterName, self, term, members, encryption } = facts;
  const { stateIndex, active, stateKey } = encryption;
  const text = JSON.stringify([
    ...["sealkv encryption plan v1", clusterName, self.id, term],
    ...[members.map(({ id, name }) => [id, name]), request],
    ...[stateIndex, active, stateKey, [...encryption.keys.keys()]],
  ]);
  return toHex(sha256(utf8(text))).slice(0, 16);
}
