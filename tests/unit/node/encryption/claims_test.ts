import assert from "node:assert/strict";
import { decodePayload } from "../../../../src/fsm/payload.ts";
import { EpochRollbackError } from "../../../../src/node/encryption/errors.ts";
import { NodeEncryption } from "../../../../src/node/encryption/node_encryption.ts";
import { writerNameOf } from "../../../../src/node/encryption/own_rows.ts";
import type { BufferedStore } from "../../../../src/store/buffered_store.ts";
import { EMPTY_STATE, type StoreState } from "../../../../src/store/meta.ts";
import {
  type EncryptionState,
  NO_ENCRYPTION,
  writerId,
} from "../../../../src/fsm/types.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimLog } from "../../../sim/io/log.ts";
import { CLUSTER, RAFT, STORAGE } from "./changes.ts";
import { FakeCustody } from "./fake_custody.ts";

const OWN_ID = 40;
const EPOCH = 3;

/** n1 under STORAGE at `registered`, and not under RAFT. */
function encryptionOf(registered: number): EncryptionState {
  const { fullNodeId, node16 } = writerNameOf("n1");
  return {
    ...NO_ENCRYPTION,
    active: { storage: STORAGE, raft: RAFT },
    writers: new Map([[writerId(STORAGE, node16), {
      ...{ keyId: STORAGE, node16, fullNodeId, firstEpoch: 1 },
      lastEpoch: registered,
    }]]),
  };
}

/** A member with id 40 and epoch 3 of STORAGE alone. */
class Bench {
  readonly encryption: NodeEncryption;
  failed: unknown = null;
  progressed = 0;
  isCaughtUp = false;
  state: StoreState;

  constructor(
    { applied, registered, isFounder = false }: {
      readonly applied: number;
      readonly registered: number;
      readonly isFounder?: boolean;
    },
  ) {
    this.state = {
      ...EMPTY_STATE,
      applied: { index: applied, term: 1 },
      fsm: {
        ...EMPTY_STATE.fsm,
        clusterId: CLUSTER,
        encryption: encryptionOf(registered),
      },
    };
    const store = Object.defineProperty({}, "state", {
      get: () => this.state,
    }) as BufferedStore;
    const epochs = new Map([[STORAGE, EPOCH]]);
    this.encryption = new NodeEncryption({
      custody: new FakeCustody("n1", { index: 1, epochs }),
      store,
      sessions: null,
      identity: {
        name: "n1",
        id: OWN_ID,
        diskId: new Uint8Array(16),
        foundingDigest: new Uint8Array(32).fill(isFounder ? 1 : 0),
      },
      clock: new SimClock(),
      log: new SimLog(),
    }, {
      isCaughtUp: () => this.isCaughtUp,
      progressed: () => this.progressed += 1,
      failed: (error) => this.failed = error,
    });
  }

  /** Tells that entries up to `applied` are applied. */
  apply(applied: number, registered: number): void {
    this.state = {
      ...this.state,
      applied: { index: applied, term: 1 },
      fsm: { ...this.state.fsm, encryption: encryptionOf(registered) },
    };
    this.encryption.progressed();
  }

  claims(): string {
    const payload = this.encryption.takeRegistration();
    if (payload === null) return "none";
    const decoded = decodePayload(payload);
    assert.ok(decoded.kind === "encryption");
    assert.ok(decoded.change.kind === "registration");
    assert.equal(decoded.change.fullNodeId, writerNameOf("n1").fullNodeId);
    return decoded.change.claims
      .map(({ keyId, epoch }) => `${keyId}/${epoch}`).join();
  }
}

const ROWS: [
  name: string,
  given: ConstructorParameters<typeof Bench>[0],
  expected: {
    readonly claims: string;
    readonly says: boolean;
    readonly ends: boolean;
  },
][] = [
  [
    "a new member with entries of an earlier one to come",
    { applied: OWN_ID - 1, registered: 5 },
    { claims: "none", says: false, ends: false },
  ],
  [
    "a new member that is as far as itself",
    { applied: OWN_ID, registered: 2 },
    { claims: `${STORAGE}/${EPOCH}`, says: true, ends: false },
  ],
  [
    "a member whose epoch is registered before it asked",
    { applied: 100, registered: EPOCH },
    { claims: "none", says: true, ends: true },
  ],
  [
    "a member that the registry is ahead of",
    { applied: 100, registered: EPOCH + 1 },
    { claims: "none", says: true, ends: true },
  ],
  [
    "a founder early in the log",
    { applied: 5, registered: EPOCH + 1, isFounder: true },
    { claims: "none", says: true, ends: true },
  ],
];

for (const [name, given, expected] of ROWS) {
  Deno.test(`NodeEncryption of ${name}`, () => {
    const bench = new Bench(given);
    bench.encryption.start();
    assert.equal(bench.claims(), "none", "more may come");
    bench.isCaughtUp = true;
    assert.equal(bench.claims(), expected.claims);
    assert.equal(bench.encryption.claimedEpochs().size > 0, expected.says);
    assert.equal(bench.failed instanceof EpochRollbackError, expected.ends);
  });
}

Deno.test("NodeEncryption lets writes through when it is caught up and known", () => {
  const bench = new Bench({ applied: 50, registered: 2 });
  bench.encryption.start();
  bench.isCaughtUp = true;
  bench.apply(51, 2);
  assert.equal(bench.claims(), `${STORAGE}/${EPOCH}`);
  assert.deepEqual([bench.encryption.isKnown, bench.progressed], [false, 0]);
  bench.apply(52, EPOCH);
  assert.deepEqual([bench.encryption.isKnown, bench.progressed], [true, 1]);
  assert.equal(bench.encryption.isReady, true);
  bench.apply(53, EPOCH);
  assert.equal(bench.progressed, 1);
});

Deno.test("NodeEncryption stops when another life has registered its epoch", () => {
  const bench = new Bench({ applied: 50, registered: 2 });
  bench.encryption.start();
  // It was committed before this process started, and is applied now.
  bench.apply(51, EPOCH);
  assert.ok(bench.failed instanceof EpochRollbackError);
  assert.equal(bench.encryption.isKnown, false);
});

Deno.test("NodeEncryption knows its own registration again", () => {
  const bench = new Bench({ applied: 50, registered: 2 });
  bench.encryption.start();
  bench.isCaughtUp = true;
  assert.equal(bench.claims(), `${STORAGE}/${EPOCH}`);
  bench.apply(51, 2);
  bench.apply(52, EPOCH);
  bench.apply(53, EPOCH);
  assert.equal(bench.failed, null);
  assert.equal(bench.claims(), "none");
});
