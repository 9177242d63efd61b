import assert from "node:assert/strict";
import { checkEncryptionState } from "../../../src/fsm/encryption_invariants.ts";
import type { RefusalCode } from "../../../src/fsm/encryption.ts";
import {
  compareWriters,
  decideRegistration,
  ownRow,
} from "../../../src/fsm/encryption_writers.ts";
import { WRITERS_MAX } from "../../../src/fsm/limits.ts";
import {
  type EncryptionState,
  writerId,
  type WriterRow,
} from "../../../src/fsm/types.ts";
import {
  BOOTSTRAP,
  crowded,
  NODE_A,
  NODE_B,
  NODE_C,
  RAFT,
  register,
  retire,
  rotate,
  STATE,
  stateAfter,
  STORAGE,
} from "./encryption_fixtures.ts";

type Claims = readonly (readonly [number, number])[];

function decide(state: EncryptionState, node: bigint, ...claims: Claims) {
  const change = register(node, ...claims);
  assert.ok(change.kind === "registration");
  return decideRegistration(state, change);
}

function row(
  fullNodeId: bigint,
  firstEpoch: number,
  lastEpoch: number,
  keyId = STORAGE,
): WriterRow {
  const node16 = Number(fullNodeId & 0xffffn);
  return { keyId, node16, fullNodeId, firstEpoch, lastEpoch };
}

interface Row {
  readonly known: WriterRow | null;
  readonly node: bigint;
  readonly epoch: number;
  /** The row afterwards, "same" for the very state, or the refusal. */
  readonly expected: WriterRow | "same" | RefusalCode;
}

/** Every row of the table, each epoch at its boundaries. */
const TABLE: readonly Row[] = [
  { known: null, node: NODE_A, epoch: 0, expected: row(NODE_A, 0, 0) },
  { known: null, node: NODE_A, epoch: 1, expected: row(NODE_A, 1, 1) },
  {
    known: null,
    node: NODE_A,
    epoch: 65_535,
    expected: row(NODE_A, 65_535, 65_535),
  },
  {
    known: row(NODE_A, 2, 5),
    node: NODE_A,
    epoch: 6,
    expected: row(NODE_A, 2, 6),
  },
  {
    known: row(NODE_A, 2, 5),
    node: NODE_A,
    epoch: 65_535,
    expected: row(NODE_A, 2, 65_535),
  },
  {
    known: row(NODE_A, 0, 0),
    node: NODE_A,
    epoch: 1,
    expected: row(NODE_A, 0, 1),
  },
  { known: row(NODE_A, 2, 5), node: NODE_A, epoch: 5, expected: "same" },
  { known: row(NODE_A, 0, 0), node: NODE_A, epoch: 0, expected: "same" },
  {
    known: row(NODE_A, 2, 5),
    node: NODE_A,
    epoch: 4,
    expected: "epoch-rollback",
  },
  {
    known: row(NODE_A, 2, 5),
    node: NODE_A,
    epoch: 0,
    expected: "epoch-rollback",
  },
  {
    known: row(NODE_A, 0, 1),
    node: NODE_A,
    epoch: 0,
    expected: "epoch-rollback",
  },
  ...[0, 4, 5, 6, 65_535].map((epoch) => ({
    known: row(NODE_A, 2, 5),
    node: NODE_B,
    epoch,
    expected: "node-collision" as const,
  })),
  {
    known: row(NODE_A, 2, 5),
    node: NODE_C,
    epoch: 1,
    expected: row(NODE_C, 1, 1),
  },
];

for (const { known, node, epoch, expected } of TABLE) {
  const before = known === null
    ? "no row"
    : `a row of ${known.fullNodeId.toString(16)} up to ${known.lastEpoch}`;
  const what = typeof expected === "string"
    ? expected
    : `up to ${expected.lastEpoch}`;
  const name = `epoch ${epoch} of ${node.toString(16)} at ${before}: ${what}`;
  Deno.test(`decideRegistration() answers ${name}`, () => {
    const none = stateAfter(BOOTSTRAP);
    const id = (of: WriterRow) => writerId(of.keyId, of.node16);
    const state = known === null
      ? none
      : { ...none, writers: new Map([[id(known), known]]) };
    const decision = decide(state, node, [STORAGE, epoch]);
    if (decision.kind === "refused") {
      assert.equal(decision.refusal.code, expected);
      return;
    }
    if (typeof expected === "string") {
      assert.equal(expected, "same");
      assert.equal(decision.next, state);
      return;
    }
    assert.deepEqual(decision.next.writers.get(id(expected)), expected);
    const others = [...state.writers].filter(([key]) => key !== id(expected));
    assert.deepEqual(
      decision.next,
      {
        ...state,
        writers: new Map([...others, [id(expected), expected]]),
      },
    );
    assert.equal(checkEncryptionState(decision.next), null);
  });
}

const REGISTERED = stateAfter(
  BOOTSTRAP,
  register(NODE_A, [STORAGE, 3], [RAFT, 7]),
);

const ALL_OR_NOTHING: readonly (readonly [
  what: string,
  node: bigint,
  claims: Claims,
  expected: RefusalCode,
])[] = [
  ["no key", NODE_A, [[99, 1]], "unknown-key"],
  ["one key of two", NODE_A, [[RAFT, 8], [99, 1]], "unknown-key"],
  ["no key before one", NODE_A, [[9, 1], [RAFT, 8]], "unknown-key"],
  ["the state key", NODE_A, [[STATE, 1]], "wrong-purpose"],
  ["the state key too", NODE_A, [[RAFT, 8], [STATE, 1]], "wrong-purpose"],
  ["one epoch too low", NODE_A, [[RAFT, 8], [STORAGE, 2]], "epoch-rollback"],
  ["one row of another", NODE_B, [[RAFT, 9], [STORAGE, 9]], "node-collision"],
];

for (const [what, node, claims, expected] of ALL_OR_NOTHING) {
  Deno.test(`decideRegistration() takes no claim for ${what}`, () => {
    const decision = decide(REGISTERED, node, ...claims);
    assert.ok(decision.kind === "refused");
    assert.equal(decision.refusal.code, expected);
  });
}

Deno.test("decideRegistration() refuses a collision on the later claim", () => {
  const state = stateAfter(BOOTSTRAP, register(NODE_A, [STORAGE, 1]));
  const decision = decide(state, NODE_B, [RAFT, 1], [STORAGE, 1]);
  assert.ok(decision.kind === "refused");
  assert.deepEqual(decision.refusal, {
    code: "node-collision",
    detail:
      "nodes aaaa000000000001 and bbbb000000000001 have the same low 16 bits",
  });
});

Deno.test("decideRegistration() names the epochs of a rollback", () => {
  const decision = decide(REGISTERED, NODE_A, [RAFT, 6]);
  assert.ok(decision.kind === "refused");
  assert.equal(
    decision.refusal.detail,
    `epoch 6 of key ${RAFT} is below 7, its last`,
  );
});

Deno.test("decideRegistration() takes what is new of several claims", () => {
  const decision = decide(REGISTERED, NODE_A, [RAFT, 7], [STORAGE, 4]);
  assert.ok(decision.kind === "taken");
  assert.deepEqual([...decision.next.writers.values()], [
    row(NODE_A, 7, 7, RAFT),
    row(NODE_A, 3, 4, STORAGE),
  ]);
  assert.equal(decision.next.stateIndex, REGISTERED.stateIndex);
});

Deno.test("decideRegistration() keeps rows by key, then node16", () => {
  const state = stateAfter(
    BOOTSTRAP,
    register(NODE_C, [STORAGE, 1], [RAFT, 1]),
    register(NODE_A, [STORAGE, 1], [RAFT, 1]),
  );
  const ids = [...state.writers.keys()];
  assert.deepEqual(ids, ["10/1", "10/2", "30/1", "30/2"]);
});

Deno.test("decideRegistration() takes a claim of a key that is not active", () => {
  const state = stateAfter(BOOTSTRAP, rotate(31, "storage", STORAGE));
  assert.equal(decide(state, NODE_A, [STORAGE, 1]).kind, "taken");
});

Deno.test("decideRegistration() refuses a claim of a retired key", () => {
  const state = stateAfter(
    BOOTSTRAP,
    rotate(31, "storage", STORAGE),
    retire(STORAGE),
  );
  const decision = decide(state, NODE_A, [STORAGE, 1]);
  assert.ok(decision.kind === "refused");
  assert.equal(decision.refusal.code, "unknown-key");
});

/** Rows of other nodes under one key. */
function rowsOf(count: number): EncryptionState["writers"] {
  return new Map(Array.from({ length: count }, (_, i) => {
    const one = row(BigInt(i) + 0x100n, 1, 1);
    return [writerId(one.keyId, one.node16), one] as const;
  }));
}

Deno.test("decideRegistration() takes up to WRITERS_MAX rows", () => {
  const state = stateAfter(BOOTSTRAP);
  const full = { ...state, writers: rowsOf(WRITERS_MAX) };
  const room = { ...state, writers: rowsOf(WRITERS_MAX - 1) };
  assert.equal(decide(room, NODE_A, [STORAGE, 1]).kind, "taken");
  const decision = decide(full, NODE_A, [STORAGE, 1]);
  assert.ok(decision.kind === "refused");
  assert.equal(decision.refusal.code, "state-too-large");
  // What needs no room is taken.
  assert.equal(decide(full, 0x100n, [STORAGE, 2]).kind, "taken");
  assert.equal(decide(full, 0x100n, [STORAGE, 1]).kind, "taken");
});

Deno.test("decideRegistration() has room for every member under every key", () => {
  let state = crowded({ keys: 128 });
  const sealing = [...state.keys.values()]
    .filter(({ purpose }) => purpose !== "state");
  for (let node = 1; node <= 32; node += 1) {
    const claims = sealing.map(({ id }) => [id, 1] as const);
    const decision = decide(state, BigInt(node), ...claims);
    assert.ok(decision.kind === "taken");
    state = decision.next;
  }
  assert.equal(state.writers.size, 32 * 127);
  assert.equal(checkEncryptionState(state), null);
});

Deno.test("ownRow() finds the row of that very node", () => {
  assert.deepEqual(ownRow(REGISTERED, RAFT, NODE_A), row(NODE_A, 7, 7, RAFT));
  assert.equal(ownRow(REGISTERED, RAFT, NODE_B), null);
  assert.equal(ownRow(REGISTERED, RAFT, NODE_C), null);
  assert.equal(ownRow(REGISTERED, 99, NODE_A), null);
});

Deno.test("compareWriters() orders by key id, then node16", () => {
  const rows = [
    row(2n, 1, 1, 1),
    row(0x0001_ffffn, 1, 1, 1),
    row(1n, 1, 1, 2),
    row(3n, 1, 1, 4_000_000_000),
  ];
  assert.deepEqual(rows.toReversed().sort(compareWriters), rows);
  const [one, two] = [row(1n, 1, 1), row(1n, 2, 2)];
  assert.equal(compareWriters(one, two), 0);
});
