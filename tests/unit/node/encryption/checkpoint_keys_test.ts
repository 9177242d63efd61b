import assert from "node:assert/strict";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import type { EncryptionChange } from "../../../../src/fsm/types.ts";
import { CheckpointInterruptedError } from "../../../../src/node/checkpoint/errors.ts";
import { CheckpointKeys } from "../../../../src/node/encryption/checkpoint_keys.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import { writerNameOf } from "../../../../src/node/encryption/own_rows.ts";
import { encryptionRowBody } from "../../../../src/store/encryption_row.ts";
import {
  type CheckpointState,
  EMPTY_STATE,
} from "../../../../src/store/meta.ts";
import type { SessionRow } from "../../../../src/store/session_row.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimLog } from "../../../sim/io/log.ts";
import {
  BOOTSTRAP,
  CLUSTER,
  RAFT,
  registrationOf,
  rotation,
  STATE,
  STORAGE,
} from "./changes.ts";
import {
  CustodyFailure,
  FakeCustody,
  type FakeSidecar,
} from "./fake_custody.ts";

/** The state that these changes leave, from index 1 on. */
function stateAfter(...changes: readonly EncryptionChange[]): CheckpointState {
  let state = {
    ...EMPTY_STATE,
    fsm: { ...EMPTY_STATE.fsm, clusterId: CLUSTER },
  };
  changes.forEach((change, i) => {
    const decision = decideEncryption(state.fsm, i + 1, change);
    assert.equal(decision.kind, "taken");
    if (decision.kind !== "taken") return;
    const fsm = { ...state.fsm, encryption: decision.next };
    state = { ...state, fsm, applied: { index: i + 1, term: 1 } };
  });
  return state;
}

interface Given {
  readonly sidecar?: FakeSidecar;
  /** Of the store in use. */
  readonly applied?: number;
  readonly isFounder?: boolean;
  readonly sessions?: readonly SessionRow[];
}

const OWN_ID = 40;

class Bench {
  readonly clock = new SimClock();
  readonly custody: FakeCustody;
  readonly keys: CheckpointKeys;

  constructor(
    { sidecar, applied = 0, isFounder = false, sessions = [] }: Given,
  ) {
    this.custody = new FakeCustody("n1", sidecar);
    this.keys = new CheckpointKeys({
      custody: this.custody,
      clock: this.clock,
      log: new SimLog(),
      store: {
        state: { ...EMPTY_STATE, applied: { index: applied, term: 1 } },
        sessionRows: () => Promise.resolve(sessions),
      },
      identity: {
        name: "n1",
        id: OWN_ID,
        diskId: new Uint8Array(16),
        foundingDigest: new Uint8Array(32).fill(isFounder ? 1 : 0),
      },
    });
  }

  epochs(): string {
    return [...this.custody.epochs()]
      .map(([id, epoch]) => `${id}/${epoch}`).join(" ");
  }
}

const REGISTERED = stateAfter(
  BOOTSTRAP,
  registrationOf("n1", 6),
  registrationOf("n2", 9),
);
const KNOWN = {
  index: 1,
  epochs: new Map([[STORAGE, 2], [RAFT, 7], [STATE, 2]]),
};

const ROWS: [
  name: string,
  given: Given,
  state: CheckpointState,
  epochs: string,
][] = [
  ["keys that it sees first", {}, REGISTERED, "11/7 22/7 33/1"],
  ["keys that nobody registered", {}, stateAfter(BOOTSTRAP), "11/1 22/1 33/1"],
  [
    "keys that it had, as a new member",
    { sidecar: KNOWN, applied: OWN_ID - 1 },
    REGISTERED,
    "11/7 22/7 33/2",
  ],
  [
    "keys that it had, as a member",
    { sidecar: KNOWN, applied: OWN_ID },
    REGISTERED,
    "11/2 22/7 33/2",
  ],
  [
    "keys that it had, as a founder",
    { sidecar: KNOWN, isFounder: true },
    REGISTERED,
    "11/2 22/7 33/2",
  ],
  [
    "one key that is new",
    { sidecar: KNOWN, applied: OWN_ID },
    stateAfter(BOOTSTRAP, registrationOf("n1", 2), rotation(44)),
    "11/2 22/7 33/2 44/1",
  ],
];

for (const [name, given, state, expected] of ROWS) {
  Deno.test(`CheckpointKeys.takeOver() of ${name}: ${expected}`, async () => {
    const bench = new Bench(given);
    const own = await bench.keys.takeOver(state);
    assert.equal(bench.epochs(), expected);
    const row = encryptionRowBody(state.fsm.encryption);
    const mac = await bench.custody.stateMac(CLUSTER, row);
    assert.deepEqual(own, { encryptionMac: mac, sessions: [] });
    const sizes = [...bench.custody.epochs().keys()].length;
    assert.equal(sizes, state.fsm.encryption.keys.size);
  });
}

Deno.test("CheckpointKeys.takeOver() asks nothing of a checkpoint without keys", async () => {
  const bench = new Bench({});
  const own = await bench.keys.takeOver(stateAfter());
  assert.deepEqual(own, { encryptionMac: null, sessions: [] });
  assert.deepEqual(bench.custody.absorbed, []);
});

Deno.test("CheckpointKeys.takeOver() gives the sessions that go on", async () => {
  const row = (keyId: KeyId, epoch: number, node = "n1"): SessionRow => ({
    ...{ keyId, epoch, node16: writerNameOf(node).node16 },
    salt: new Uint8Array(32).fill(epoch),
  });
  const current = [row(STORAGE, 2), row(RAFT, 7)];
  const others = [row(STORAGE, 1), row(STORAGE, 2, "n2"), row(99, 2)];
  const bench = new Bench({
    sidecar: KNOWN,
    applied: OWN_ID,
    sessions: [...others, ...current],
  });
  const { sessions } = await bench.keys.takeOver(REGISTERED);
  assert.deepEqual(sessions, current);
});

Deno.test("CheckpointKeys.takeOver() halts at the checkpoint's index", async () => {
  const bench = new Bench({});
  const cause = new CustodyFailure("KEYS_COMMITMENT_MISMATCH");
  bench.custody.beforeAbsorb = () => Promise.reject(cause);
  await assert.rejects(bench.keys.takeOver(REGISTERED), (error) => {
    assert.ok(error instanceof EncryptionHaltedError);
    assert.deepEqual([error.index, error.cause], [3, cause]);
    return true;
  });
});

Deno.test("CheckpointKeys.takeOver() waits for a KEK provider, until it stops", async () => {
  const bench = new Bench({});
  let failures = 3;
  bench.custody.beforeAbsorb = () => {
    failures -= 1;
    if (failures >= 0) throw new CustodyFailure("KEYS_KEK_UNAVAILABLE");
  };
  await bench.clock.until(bench.keys.takeOver(REGISTERED));
  assert.equal(bench.clock.monotonicMs(), 700);
  failures = Infinity;
  const stopped = assert.rejects(
    bench.keys.takeOver(REGISTERED),
    CheckpointInterruptedError,
  );
  await bench.clock.run(1_000);
  bench.keys.stop();
  await stopped;
  assert.equal(bench.clock.nextAtMs(), null);
});
