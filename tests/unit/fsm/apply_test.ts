import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, toHex, utf8 } from "../../../src/base/bytes.ts";
import { applyPayload, keysToRead } from "../../../src/fsm/apply.ts";
import {
  decodePayload,
  encodeAnnouncement,
  encodeBatch,
  encodeClock,
  encodeClusterInit,
  type Payload,
} from "../../../src/fsm/payload.ts";
import { RecordOverlay } from "../../../src/fsm/record_view.ts";
import {
  type AtomicWrite,
  type Change,
  type Check,
  DATABASES_MAX,
  DEFAULT_DATABASE,
  type EncryptionChange,
  type FsmState,
  type Mutation,
  NO_ENCRYPTION,
  NO_ROLLOUT,
  type RecordKey,
  type StoredRecord,
} from "../../../src/fsm/types.ts";
import { versionstampOf } from "../../../src/fsm/versionstamp.ts";
import { payload as anyPayload, u64, v8Value } from "./arbitraries.ts";
import {
  BOOTSTRAP,
  ENABLE_STORAGE,
  founded,
  stateAfter,
} from "./encryption_fixtures.ts";
import { ReferenceFsm } from "./reference_fsm.ts";

const START: FsmState = {
  clockMs: 0,
  clusterId: null,
  clusterName: "",
  databases: new Map(),
  members: new Map(),
  encryption: NO_ENCRYPTION,
  rollout: NO_ROLLOUT,
};
const K = Uint8Array.of(2, 0x6b, 0);
const L = Uint8Array.of(2, 0x6c, 0);
const NONE = new Uint8Array(0);

/** A node's applied state: the view serves only what was asked for. */
class Machine {
  state: FsmState = START;
  readonly records = new RecordOverlay();
  readonly keys = new Map<string, RecordKey>();
  mutations: readonly Mutation[] = [];
  index = 0;

  apply(payload: Payload) {
    const asked = keysToRead(this.state, payload);
    const view = new RecordOverlay();
    for (const key of asked) view.put(key, this.records.get(key));
    this.index += 1;
    const applied = applyPayload(this.state, view, this.index, payload);
    this.state = applied.state;
    this.mutations = applied.mutations;
    for (const mutation of applied.mutations) {
      this.records.put(mutation, mutation.record);
      this.keys.set(`${mutation.database} ${toHex(mutation.key)}`, mutation);
    }
    return applied.replies;
  }

  /** Applies one batch of these writes at `nowMs`. */
  write(writes: readonly Partial<AtomicWrite>[], nowMs = 0) {
    const full = writes.map((write) => ({
      database: "",
      checks: [],
      changes: [],
      ...write,
    }));
    return this.apply({ kind: "batch", nowMs, writes: full });
  }

  get(key: Uint8Array, database = DEFAULT_DATABASE): StoredRecord | null {
    return this.records.get({ database, key });
  }
}

function set(key: Uint8Array, value: bigint, expireAtMs = 0): Change {
  return { kind: "set", key, value: u64(value), expireAtMs };
}

function sum(key: Uint8Array, value: bigint): Change {
  const bounds = { min: NONE, max: NONE, clamp: false };
  return { kind: "sum", key, value: u64(value), ...bounds };
}

function absent(key: Uint8Array): Check {
  return { key, versionstamp: null };
}

function at(key: Uint8Array, index: number, position: number): Check {
  return { key, versionstamp: versionstampOf(index, position) };
}

function committed(index: number, position: number) {
  return { kind: "committed", versionstamp: versionstampOf(index, position) };
}

Deno.test("applyPayload() stamps each write with index and position", () => {
  const machine = new Machine();
  machine.write([{}]);
  const replies = machine.write([
    { changes: [set(K, 1n), set(L, 2n)] },
    {},
    { checks: [absent(concatBytes(K, K))] },
  ]);
  assert.deepEqual(replies, [
    committed(2, 0),
    committed(2, 1),
    committed(2, 2),
  ]);
  assert.deepEqual(machine.get(K)?.versionstamp, versionstampOf(2, 0));
  assert.deepEqual(machine.get(L)?.versionstamp, versionstampOf(2, 0));
});

Deno.test("applyPayload() reports all failed checks and changes nothing", () => {
  const machine = new Machine();
  machine.write([{ changes: [set(K, 1n)] }]);
  const replies = machine.write([{
    checks: [absent(K), absent(L), at(K, 1, 1), at(K, 1, 0), at(L, 1, 0)],
    changes: [set(K, 2n), { kind: "delete", key: L }],
  }]);
  assert.deepEqual(replies, [{
    kind: "check-failed",
    failedChecks: [0, 2, 4],
  }]);
  assert.deepEqual(machine.mutations, []);
});

Deno.test("applyPayload() checks the state before the write's own changes", () => {
  const machine = new Machine();
  const replies = machine.write([
    { checks: [absent(K), absent(K)], changes: [set(K, 1n)] },
    { checks: [at(K, 1, 0)], changes: [{ kind: "delete", key: K }] },
    { checks: [absent(K)], changes: [sum(K, 7n)] },
    { checks: [at(K, 1, 0)], changes: [sum(K, 7n)] },
  ]);
  assert.deepEqual(replies.slice(0, 3).map(({ kind }) => kind), [
    "committed",
    "committed",
    "committed",
  ]);
  assert.deepEqual(replies[3], { kind: "check-failed", failedChecks: [0] });
  assert.deepEqual(machine.get(K)?.value, u64(7n));
});

Deno.test("applyPayload() shows later changes what earlier ones made", () => {
  const machine = new Machine();
  machine.write([{
    changes: [
      set(K, 5n),
      sum(K, 2n),
      { kind: "max", key: K, value: u64(9n) },
      { kind: "delete", key: K },
      sum(K, 1n),
      { kind: "min", key: K, value: u64(3n) },
    ],
  }]);
  assert.deepEqual(machine.get(K)?.value, u64(1n));
  assert.equal(machine.mutations.length, 6);
});

Deno.test("applyPayload() leaves no trace of a write that is refused", () => {
  const machine = new Machine();
  machine.write([{ changes: [set(K, 5n)] }]);
  const replies = machine.write([
    {
      database: "new",
      changes: [set(K, 1n), {
        kind: "set",
        key: NONE,
        value: u64(1n),
        expireAtMs: 0,
      }],
    },
    { changes: [set(K, 6n), { ...sum(L, 1n), value: v8Value("x") } as Change] },
    { changes: [sum(K, 1n)] },
  ]);
  assert.deepEqual(replies[0], {
    kind: "rejected",
    reason: "key cannot be empty",
  });
  assert.equal(replies[1]?.kind, "rejected");
  assert.deepEqual(replies[2], committed(2, 2));
  assert.deepEqual(machine.mutations.map(({ key }) => key), [K]);
  assert.deepEqual(machine.get(K)?.value, u64(6n));
  assert.equal(machine.state.databases.size, 0);
});

Deno.test("applyPayload() gives the last of colliding suffixed keys", () => {
  const machine = new Machine();
  const suffixed = (value: bigint): Change => ({
    kind: "set-suffix",
    key: K,
    value: u64(value),
    expireAtMs: 0,
  });
  machine.write([{ changes: [suffixed(1n), suffixed(2n)] }]);
  const key = concatBytes(K, utf8("\x0200000000000000010000\x00"));
  assert.deepEqual(machine.get(key)?.value, u64(2n));
});

Deno.test("applyPayload() counts expired records as absent", () => {
  const machine = new Machine();
  machine.write([{ changes: [set(K, 5n, 100)] }], 50);
  assert.deepEqual(
    machine.write([{ checks: [absent(K)] }, { checks: [at(K, 1, 0)] }], 99)
      .map(({ kind }) => kind),
    ["check-failed", "committed"],
  );
  assert.deepEqual(
    machine.write([{ checks: [absent(K)] }, { checks: [at(K, 1, 0)] }], 100)
      .map(({ kind }) => kind),
    ["committed", "check-failed"],
  );
  machine.write([{ changes: [sum(K, 1n)] }]);
  assert.deepEqual(machine.get(K), {
    value: u64(1n),
    versionstamp: versionstampOf(4, 0),
    expireAtMs: 0,
  });
});

Deno.test("applyPayload() lets a clock only advance", () => {
  const machine = new Machine();
  assert.deepEqual(machine.apply(decodePayload(encodeClock(70))), []);
  assert.equal(machine.state.clockMs, 70);
  const before = machine.state;
  machine.apply({ kind: "clock", clockMs: 69 });
  machine.write([{}], 68);
  assert.equal(machine.state, before);
  machine.write([], 71);
  assert.equal(machine.state.clockMs, 71);
  assert.equal(before.clockMs, 70);
});

Deno.test("applyPayload() stores a set that expires as it commits as nothing", () => {
  const machine = new Machine();
  const replies = machine.write([
    { changes: [set(K, 1n)] },
    { changes: [set(K, 2n, 60)] },
    { checks: [absent(K)] },
  ], 60);
  assert.deepEqual(replies.map(({ kind }) => kind), Array(3).fill("committed"));
  assert.equal(machine.get(K), null);
});

Deno.test("applyPayload() founds a cluster once", () => {
  const machine = new Machine();
  const id = new Uint8Array(16).fill(7);
  const first = machine.apply(decodePayload(encodeClusterInit(id, "one", [])));
  assert.deepEqual(first, [committed(1, 0)]);
  const founded = machine.state;
  assert.deepEqual(founded.clusterId, id);
  assert.equal(founded.clusterName, "one");
  assert.equal(founded.members.size, 0, "as an older version founded");
  const other = encodeClusterInit(new Uint8Array(16).fill(8), "two", []);
  assert.deepEqual(machine.apply(decodePayload(other)), [{
    kind: "rejected",
    reason: "The cluster has been founded already",
  }]);
  assert.equal(machine.state, founded);
});

Deno.test("applyPayload() founds a cluster with its members", () => {
  const members = [1, 2].map((id) => ({
    id,
    name: `n${id}`,
    peerAddress: `n${id}:4701`,
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  }));
  const machine = new Machine();
  const id = new Uint8Array(16).fill(7);
  machine.apply(decodePayload(encodeClusterInit(id, "one", members)));
  assert.deepEqual([...machine.state.members.values()], members);
  const founded = machine.state;
  const diskId = new Uint8Array(16).fill(1);
  const member = { ...members[1]!, diskId };
  const said = decodePayload(encodeAnnouncement(member));
  assert.deepEqual(machine.apply(said), [committed(2, 0)]);
  assert.deepEqual([...machine.state.members.values()], [members[0], member]);
  const announced = machine.state;
  assert.deepEqual(machine.apply(said), [committed(3, 0)]);
  assert.equal(machine.state, announced, "nothing new");
  assert.equal(founded.members.get(2)?.diskId, null, "never changed");
  assert.deepEqual(keysToRead(founded, said), []);
});

Deno.test("applyPayload() makes a database at its first committed change", () => {
  const machine = new Machine();
  const replies = machine.write([
    { database: "a" },
    { database: "a", checks: [at(K, 1, 0)], changes: [set(K, 1n)] },
    { database: "b", checks: [absent(K)], changes: [set(K, 1n)] },
    { database: "a", changes: [sum(K, 2n)] },
    { database: "b", changes: [sum(K, 3n)] },
    { changes: [sum(K, 4n)] },
  ]);
  assert.deepEqual(replies.map(({ kind }) => kind), [
    "committed",
    "check-failed",
    ...Array(4).fill("committed"),
  ]);
  assert.deepEqual([...machine.state.databases], [["b", 2], ["a", 3]]);
  assert.deepEqual(machine.get(K, 1)?.value, u64(4n));
  assert.deepEqual(machine.get(K, 2)?.value, u64(4n));
  assert.deepEqual(machine.get(K, 3)?.value, u64(2n));
});

Deno.test("applyPayload() replaces the map of databases, never changes it", () => {
  const machine = new Machine();
  machine.write([{ database: "a", changes: [set(K, 1n)] }]);
  const before = machine.state;
  machine.write([{ database: "a", changes: [set(K, 2n)] }]);
  assert.equal(machine.state, before);
  machine.write([{ database: "b", changes: [set(K, 2n)] }]);
  assert.deepEqual([...before.databases.keys()], ["a"]);
  assert.deepEqual([...machine.state.databases.keys()], ["a", "b"]);
});

Deno.test("applyPayload() makes DATABASES_MAX databases, the default included", () => {
  const machine = new Machine();
  const named = Array.from({ length: DATABASES_MAX - 2 }, (_, i) => `db${i}`);
  machine.state = {
    ...START,
    databases: new Map(named.map((name, i) => [name, i + 2])),
  };
  const replies = machine.write([
    { database: "last", changes: [set(K, 1n)] },
    { database: "none", changes: [set(K, 1n)] },
    { database: "none", checks: [at(K, 1, 0)], changes: [set(K, 1n)] },
    { database: "none" },
    { database: "last", changes: [set(K, 2n)] },
  ]);
  assert.deepEqual(replies, [
    committed(1, 0),
    { kind: "rejected", reason: "Too many databases (max 10000)" },
    { kind: "check-failed", failedChecks: [0] },
    committed(1, 3),
    committed(1, 4),
  ]);
  assert.equal(machine.state.databases.get("last"), DATABASES_MAX);
});

Deno.test("keysToRead() names keys of checks and sums, each once", () => {
  const state: FsmState = { ...START, databases: new Map([["a", 2]]) };
  const value = u64(1n);
  const write = {
    checks: [absent(K), absent(L), absent(K)],
    changes: [
      set(Uint8Array.of(9), 1n),
      sum(L, 1n),
      { kind: "max" as const, key: Uint8Array.of(3), value },
      { kind: "min" as const, key: Uint8Array.of(4), value },
      { kind: "delete" as const, key: Uint8Array.of(5) },
      sum(new Uint8Array(2_071), 1n),
    ],
  };
  const writes = ["", "a", "unknown", "a"].map((database) => ({
    database,
    ...write,
  }));
  assert.deepEqual(
    keysToRead(state, { kind: "batch", nowMs: 0, writes })
      .map(({ database, key }) => `${database} ${toHex(key)}`),
    [1, 2].flatMap((n) =>
      [K, L, [3], [4]].map((key) => `${n} ${toHex(Uint8Array.from(key))}`)
    ),
  );
});

Deno.test("keysToRead() reads nothing for clocks and cluster-init", () => {
  const clusterId = new Uint8Array(16);
  const init = {
    kind: "cluster-init",
    clusterId,
    clusterName: "",
    members: [],
  } as const;
  assert.deepEqual(keysToRead(START, init), []);
  assert.deepEqual(keysToRead(START, { kind: "clock", clockMs: 1 }), []);
});

Deno.test("applyPayload() takes keys of any length", () => {
  const huge = new Uint8Array(1_000_000);
  const payload = decodePayload(encodeBatch([{
    database: "",
    checks: [absent(huge)],
    changes: [sum(huge, 1n)],
  }], 1));
  assert.deepEqual(new Machine().apply(payload), [{
    kind: "rejected",
    reason: "Key too large for write (max 2048 bytes)",
  }]);
});

Deno.test("applyPayload() applies what is decided about encryption", () => {
  const view = new RecordOverlay();
  const apply = (state: FsmState, index: number, change: EncryptionChange) =>
    applyPayload(state, view, index, { kind: "encryption", change });
  const state = founded(NO_ENCRYPTION);
  const first = apply(state, 5, BOOTSTRAP);
  assert.deepEqual(first, {
    state: { ...state, encryption: first.state.encryption },
    mutations: [],
    replies: [],
    refusal: null,
  });
  assert.equal(first.state.encryption.stateIndex, 5);

  const refused = apply(first.state, 6, BOOTSTRAP);
  assert.equal(refused.state, first.state);
  assert.deepEqual(refused.refusal, {
    code: "already-bootstrapped",
    detail: "key 20 is the state key",
  });
  assert.deepEqual([refused.mutations, refused.replies], [[], []]);

  const on = apply(first.state, 6, ENABLE_STORAGE);
  const again = apply(on.state, 7, ENABLE_STORAGE);
  assert.equal(again.state, on.state);
  assert.equal(again.refusal, null);
  assert.deepEqual(
    keysToRead(state, { kind: "encryption", change: BOOTSTRAP }),
    [],
  );
});

Deno.test("applyPayload() leaves encryption and the rollout alone for all else", () => {
  const state = founded(stateAfter(BOOTSTRAP));
  const isOther = ({ kind }: Payload) => kind !== "encryption";
  fc.assert(fc.property(anyPayload.filter(isOther), (payload) => {
    const applied = applyPayload(state, new RecordOverlay(), 9, payload);
    assert.equal(applied.state.encryption, state.encryption);
    if (payload.kind === "rollout") return;
    assert.equal(applied.state.rollout, state.rollout);
    assert.equal(applied.refusal, null);
  }));
});

Deno.test("applyPayload() does what the reference does", () => {
  fc.assert(
    fc.property(fc.array(anyPayload, { maxLength: 8 }), (payloads) => {
      const machine = new Machine();
      const reference = new ReferenceFsm();
      payloads.forEach((payload, i) => {
        const replies = machine.apply(payload);
        assert.deepEqual(replies, reference.apply(i + 1, payload));
        assert.equal(machine.state.clockMs, reference.clockMs);
        assert.equal(machine.state.clusterName, reference.clusterName);
        const members = [...machine.state.members.values()];
        assert.deepEqual(members, reference.members);
        assert.deepEqual(visible(machine), reference.visible());
      });
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("applyPayload() is deterministic and changes nothing it is given", () => {
  fc.assert(fc.property(fc.array(anyPayload, { maxLength: 5 }), (payloads) => {
    const first = new Machine();
    const second = new Machine();
    for (const payload of payloads) {
      const before = structuredClone({ payload, state: first.state });
      const replies = first.apply(payload);
      assert.deepEqual(payload, before.payload);
      assert.deepEqual(second.state, before.state);
      assert.deepEqual(second.apply(payload), replies);
      assert.deepEqual(second.mutations, first.mutations);
    }
  }));
});

/** What a reader of `machine` sees, in the reference's words. */
function visible(machine: Machine) {
  const names = new Map<number, string>([[DEFAULT_DATABASE, ""]]);
  for (const [name, number] of machine.state.databases) names.set(number, name);
  const seen = new Map(
    [...names.values()].map((name) => [name, new Map<string, unknown>()]),
  );
  for (const key of machine.keys.values()) {
    const record = machine.records.get(key);
    if (record === null) continue;
    const { value, versionstamp, expireAtMs } = record;
    if (expireAtMs !== 0 && expireAtMs <= machine.state.clockMs) continue;
    seen.get(names.get(key.database) ?? "")?.set(toHex(key.key), {
      data: toHex(value.data),
      encoding: value.encoding,
      versionstamp: toHex(versionstamp),
      expireAtMs,
    });
  }
  return seen;
}
