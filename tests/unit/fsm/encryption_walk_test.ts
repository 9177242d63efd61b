/*
 * Goal: from any state that entries can lead to, any change has one decision,
 * the one of encryption.md, and what it leaves is a sound state.
 * Method: walks of changes, most of them made to fit the state; after every
 * step compare with the model, check the invariants, encode and decode.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../../src/base/bytes.ts";
import {
  decideEncryption,
  type EncryptionDecision,
} from "../../../src/fsm/encryption.ts";
import {
  decodeEncryptionState,
  encodeEncryptionState,
} from "../../../src/fsm/encryption_codec.ts";
import { checkEncryptionState } from "../../../src/fsm/encryption_invariants.ts";
import {
  decodeEncryption,
  encodeEncryption,
} from "../../../src/fsm/encryption_payload.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
} from "../../../src/fsm/types.ts";
import { wish } from "./encryption_arbitraries.ts";
import { founded } from "./encryption_fixtures.ts";
import { EncryptionModel } from "./encryption_model.ts";

const RUNS = { numRuns: 200 };
const walk = fc.array(fc.tuple(wish, fc.integer({ min: 1, max: 3 })), {
  minLength: 20,
  maxLength: 40,
  size: "max",
});

Deno.test("decideEncryption() walks as the model does", () => {
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(walk, (steps) => {
      const model = new EncryptionModel();
      let state = NO_ENCRYPTION;
      let index = 0;
      for (const [wished, gap] of steps) {
        index += gap;
        const change = wished(state);
        const before = encodeEncryptionState(state);
        const decision = decideEncryption(founded(state), index, change);
        assert.deepEqual(encodeEncryptionState(state), before);
        const outcome = outcomeOf(state, decision);
        assert.equal(outcome, model.apply(index, change), change.kind);
        const name = `${change.kind} ${outcome}`;
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
        if (outcome !== "" || decision.kind !== "taken") continue;
        state = decision.next;
        assert.deepEqual(plain(state), plainModel(model));
        assertSound(state);
      }
    }),
    RUNS,
  );
  assert.deepEqual(missing(outcomes), []);
});

Deno.test("decideEncryption() leads to the same state from the same entries", () => {
  fc.assert(
    fc.property(walk, (steps) => {
      const entries: [number, Uint8Array][] = [];
      let state = NO_ENCRYPTION;
      let index = 0;
      for (const [wished, gap] of steps) {
        index += gap;
        const change = wished(state);
        entries.push([index, encodeEncryption(change)]);
        state = after(state, index, change);
      }
      // Another member starts from bytes, and from a checkpoint half-way.
      let other = NO_ENCRYPTION;
      entries.forEach(([at, bytes], i) => {
        if (i === entries.length >> 1) {
          other = decodeEncryptionState(encodeEncryptionState(other));
        }
        other = after(other, at, decodeEncryption(bytes));
      });
      const [a, b] = [state, other].map(encodeEncryptionState);
      assert.equal(toHex(a!), toHex(b!));
    }),
    { numRuns: 100 },
  );
});

function after(
  state: EncryptionState,
  index: number,
  change: EncryptionChange,
): EncryptionState {
  const decision = decideEncryption(founded(state), index, change);
  return decision.kind === "taken" ? decision.next : state;
}

function outcomeOf(
  before: EncryptionState,
  decision: EncryptionDecision,
): string {
  if (decision.kind === "refused") return decision.refusal.code;
  return decision.next === before ? "same" : "";
}

function assertSound(state: EncryptionState): void {
  assert.equal(checkEncryptionState(state), null);
  const bytes = encodeEncryptionState(state);
  const read = decodeEncryptionState(bytes);
  assert.deepEqual(read, state);
  assert.equal(toHex(encodeEncryptionState(read)), toHex(bytes));
}

function plain(state: EncryptionState): unknown {
  return {
    index: state.stateIndex,
    keys: [...state.keys.values()].map((key) => ({
      id: key.id,
      purpose: key.purpose,
      commitment: toHex(key.commitment),
      createdMs: key.createdMs,
      wraps: key.wraps.map(({ kek, wrapped }) => `${kek} ${toHex(wrapped)}`),
      created: key.createdIndex,
      deactivated: key.deactivatedIndex,
    })),
    retired: [...state.retired],
    active: [state.active.storage, state.active.raft, state.stateKey],
    marks: [
      state.storageCutoverIndex,
      state.raftCutoverIndex,
      state.cleartextLockIndex,
    ],
    rows: [...state.writers.values()]
      .map(({ keyId, fullNodeId, firstEpoch, lastEpoch }) => ({
        key: keyId,
        node: fullNodeId,
        first: firstEpoch,
        last: lastEpoch,
      })),
  };
}

function plainModel(model: EncryptionModel): unknown {
  const low = (node: bigint) => Number(node % 65_536n);
  return {
    index: model.stateIndex,
    keys: model.keys.toSorted((a, b) => a.id - b.id),
    retired: model.retired.toSorted((a, b) => a - b),
    active: ["storage", "raft", "state"].map((one) => model.active(one)),
    marks: [model.storageCutover, model.raftCutover, model.lock],
    rows: model.rows.toSorted((a, b) =>
      a.key - b.key || low(a.node) - low(b.node)
    ),
  };
}

/** What walks must come by. */
const EXPECTED: Readonly<Record<EncryptionChange["kind"], string>> = {
  "registration":
    ", same, not-bootstrapped, unknown-key, wrong-purpose, node-collision, epoch-rollback",
  "bootstrap": ", wrong-purpose, key-id-reused, already-bootstrapped",
  "rotate-dek": ", not-bootstrapped, wrong-purpose, stale, key-id-reused",
  "rewrap-deks": ", not-bootstrapped, stale",
  "retire-dek": ", not-bootstrapped, unknown-key, wrong-purpose, key-active",
  "enable-storage-envelope": ", same, not-bootstrapped",
  "enable-raft-envelope": ", same, not-bootstrapped, storage-envelope-off",
  "seal-cleartext": ", same, not-bootstrapped, storage-envelope-off",
};

function missing(outcomes: ReadonlyMap<string, number>): readonly string[] {
  return Object.entries(EXPECTED)
    .flatMap(([kind, list]) =>
      list.split(", ").map((outcome) => `${kind} ${outcome}`)
    )
    .filter((name) => (outcomes.get(name) ?? 0) === 0);
}
