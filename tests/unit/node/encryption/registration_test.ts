import assert from "node:assert/strict";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { fullNodeId, node16Of } from "../../../../src/base/identity.ts";
import {
  type EncryptionState,
  NO_ENCRYPTION,
  writerId,
  type WriterRow,
} from "../../../../src/fsm/types.ts";
import {
  EpochRollbackError,
  NodeIdCollisionError,
} from "../../../../src/node/encryption/errors.ts";
import {
  registeredEpoch,
  writerNameOf,
} from "../../../../src/node/encryption/own_rows.ts";
import {
  missingClaims,
  registryFault,
} from "../../../../src/node/encryption/registration.ts";

const STORAGE = 20;
const RAFT = 10;
const OLD = 30;
const N1 = writerNameOf("n1");

type Row = readonly [keyId: KeyId, lastEpoch: number, node?: bigint];

/** A registry of n1, or of a node with its low 16 bits. */
function stateOf(
  rows: readonly Row[],
  active = { storage: STORAGE, raft: RAFT },
): EncryptionState {
  const writers = rows.map(([keyId, lastEpoch, node = fullNodeId("n1")]) => {
    const node16 = node16Of(node);
    const row: WriterRow = {
      ...{ keyId, node16, fullNodeId: node, firstEpoch: 0, lastEpoch },
    };
    return [writerId(keyId, node16), row] as const;
  });
  return { ...NO_ENCRYPTION, active, writers: new Map(writers) };
}

const TWIN = fullNodeId("n1") ^ 1n << 40n;

const CLAIMS: [
  name: string,
  rows: readonly Row[],
  epochs: readonly (readonly [KeyId, number])[],
  claims: string,
][] = [
  ["no keys here", [], [], ""],
  ["nothing registered", [], [[STORAGE, 1], [RAFT, 1]], "10/1 20/1"],
  ["one of two registered", [[RAFT, 3]], [[STORAGE, 2], [RAFT, 3]], "20/2"],
  ["all registered", [[RAFT, 3], [STORAGE, 2]], [[STORAGE, 2], [RAFT, 3]], ""],
  ["a later session", [[RAFT, 3], [STORAGE, 2]], [
    [STORAGE, 2],
    [RAFT, 4],
  ], "10/4"],
  ["admitted at epoch 0", [[RAFT, 0], [STORAGE, 0]], [
    [STORAGE, 1],
    [RAFT, 1],
  ], "10/1 20/1"],
  ["keys that are not active", [], [[OLD, 7]], ""],
  ["an active key that is not here", [], [[STORAGE, 1]], "20/1"],
  ["a registry that is ahead", [[STORAGE, 9]], [[STORAGE, 2]], ""],
  ["another node's row", [[STORAGE, 1, TWIN]], [[STORAGE, 1]], "20/1"],
];

for (const [name, rows, epochs, expected] of CLAIMS) {
  Deno.test(`missingClaims() with ${name}: "${expected}"`, () => {
    const claims = missingClaims(stateOf(rows), N1, new Map(epochs));
    const text = claims.map(({ keyId, epoch }) => `${keyId}/${epoch}`);
    assert.equal(text.join(" "), expected);
  });
}

Deno.test("missingClaims() before bootstrap: none", () => {
  const epochs = new Map([[0, 1], [STORAGE, 1]]);
  assert.deepEqual(missingClaims(NO_ENCRYPTION, N1, epochs), []);
});

const FAULTS: [
  name: string,
  rows: readonly Row[],
  epochs: readonly (readonly [KeyId, number])[],
  fault: string | null,
  asked?: readonly (readonly [KeyId, number])[],
][] = [
  ["no rows", [], [[STORAGE, 1]], null],
  ["its own epoch", [[STORAGE, 4]], [[STORAGE, 4]], null, [[STORAGE, 4]]],
  ["its epoch, not asked for", [[STORAGE, 4]], [[STORAGE, 4]], "20 4 4"],
  [
    "its epoch, after it asked for an earlier one",
    [[STORAGE, 4]],
    [[STORAGE, 4]],
    "20 4 4",
    [[STORAGE, 3], [RAFT, 4]],
  ],
  ["the last epoch", [[STORAGE, 65_535]], [[STORAGE, 65_535]], null],
  ["its epoch of an old key, not asked for", [[OLD, 4]], [
    [OLD, 4],
  ], "30 4 4"],
  ["an earlier epoch of it", [[STORAGE, 3]], [[STORAGE, 4]], null],
  ["a later epoch of it", [[STORAGE, 5]], [[STORAGE, 4]], "20 4 5"],
  ["a later epoch under an old key", [[OLD, 2]], [
    [STORAGE, 4],
    [OLD, 1],
  ], "30 1 2"],
  ["a later epoch under a key not here", [[OLD, 2]], [[STORAGE, 4]], null],
  ["another node in its place", [[STORAGE, 0, TWIN]], [
    [STORAGE, 4],
  ], TWIN.toString(16)],
];

for (const [name, rows, epochs, expected, asked = []] of FAULTS) {
  Deno.test(`registryFault() with ${name}: ${expected ?? "none"}`, () => {
    const fault = registryFault(stateOf(rows), N1, {
      epochs: new Map(epochs),
      asked: new Map(asked),
    });
    if (expected === null) return assert.equal(fault, null);
    assert.ok(fault !== null);
    if (fault instanceof NodeIdCollisionError) {
      assert.equal(fault.code, "NODE_ID_COLLISION");
      assert.equal(fault.other.toString(16), expected);
      assert.match(fault.message, new RegExp(`"n1".*${expected}$`));
      return;
    }
    assert.ok(fault instanceof EpochRollbackError);
    const { keyId, epoch, registered } = fault.finding!;
    assert.equal(`${keyId} ${epoch} ${registered}`, expected);
    assert.equal(fault.code, "NODE_EPOCH_ROLLBACK");
    assert.match(
      fault.remedy,
      /`sealkv member rebuild n1 --data-dir D --admin ADDR`/,
    );
  });
}

Deno.test("registeredEpoch() is 0 without a row of its own", () => {
  assert.equal(registeredEpoch(stateOf([]), N1, STORAGE), 0);
  assert.equal(registeredEpoch(stateOf([[STORAGE, 4, TWIN]]), N1, STORAGE), 0);
  assert.equal(registeredEpoch(stateOf([[STORAGE, 4]]), N1, STORAGE), 4);
});
