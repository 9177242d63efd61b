import assert from "node:assert/strict";
import { encodeEncryptionState } from "../../../../src/fsm/encryption_codec.ts";
import type { EncryptionChange } from "../../../../src/fsm/types.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import {
  registeredEpoch,
  writerNameOf,
} from "../../../../src/node/encryption/own_rows.ts";
import { settle } from "../../../sim/io/clock.ts";
import { SimKvDisk } from "../../../sim/io/kv.ts";
import {
  ActingBench,
  changeEntry,
  clockEntry,
  foundingEntry,
} from "./acting_bench.ts";
import {
  BOOTSTRAP,
  CLUSTER,
  RAFT,
  registrationOf,
  rotation,
  STATE,
  STORAGE,
} from "./changes.ts";
import { CustodyFailure, FakeCustody } from "./fake_custody.ts";

const FOUNDED = [foundingEntry()];
const BOOTSTRAPPED = [...FOUNDED, changeEntry(2, BOOTSTRAP)];
const ROTATED = [...BOOTSTRAPPED, changeEntry(3, rotation(44))];

const ROWS: [
  name: string,
  before: readonly Uint8Array[],
  change: EncryptionChange,
  outcome: string,
  /** The state index that custody took over, if it was asked to. */
  absorbed: number | null,
][] = [
  ["bootstrap before the founding", [], BOOTSTRAP, "not-founded", null],
  ["bootstrap", FOUNDED, BOOTSTRAP, "taken", 2],
  ["a second bootstrap", BOOTSTRAPPED, BOOTSTRAP, "already-bootstrapped", null],
  [
    "a rotation before bootstrap",
    FOUNDED,
    rotation(44),
    "not-bootstrapped",
    null,
  ],
  ["a rotation", BOOTSTRAPPED, rotation(44), "taken", 3],
  ["a rotation of another key", BOOTSTRAPPED, rotation(44, 9), "stale", null],
  [
    "a rotation to a known id",
    BOOTSTRAPPED,
    rotation(RAFT),
    "key-id-reused",
    null,
  ],
  [
    "retiring the active key",
    ROTATED,
    { kind: "retire-dek", keyId: 44 },
    "key-active",
    null,
  ],
  [
    "retiring an old key",
    ROTATED,
    { kind: "retire-dek", keyId: STORAGE },
    "taken",
    4,
  ],
  [
    "retiring no key",
    ROTATED,
    { kind: "retire-dek", keyId: 5 },
    "unknown-key",
    null,
  ],
  ["a registration", BOOTSTRAPPED, registrationOf("n2", 3), "taken", null],
  [
    "a registration without keys",
    FOUNDED,
    registrationOf("n2", 3),
    "not-bootstrapped",
    null,
  ],
  [
    "a registration under no key",
    BOOTSTRAPPED,
    registrationOf("n2", 3, [5]),
    "unknown-key",
    null,
  ],
  [
    "an older registration",
    [
      ...BOOTSTRAPPED,
      changeEntry(3, registrationOf("n2", 3)),
    ],
    registrationOf("n2", 2),
    "epoch-rollback",
    null,
  ],
  [
    "the same registration",
    [
      ...BOOTSTRAPPED,
      changeEntry(3, registrationOf("n2", 3)),
    ],
    registrationOf("n2", 3),
    "taken",
    null,
  ],
];

for (const [name, before, change, outcome, absorbed] of ROWS) {
  Deno.test(`EncryptionActing.apply() of ${name}: ${outcome}`, async () => {
    const custody = new FakeCustody("n1");
    const bench = await ActingBench.open(new SimKvDisk(), custody);
    if (before.length > 0) await bench.apply(before);
    custody.absorbed.length = 0;
    const prior = bench.store.state;
    const index = before.length + 1;
    await bench.apply([...before, changeEntry(index, change)]);
    const told = bench.groups.at(-1)!;
    assert.equal(told.encryption?.proposalId, index);
    assert.equal(told.encryption?.refusal?.code ?? "taken", outcome);
    assert.deepEqual([told.index, told.term, told.seq], [index, 1, 1]);
    assert.equal(bench.durableWhenTold, index, "durable before it is told");
    assert.deepEqual(custody.absorbed, absorbed === null ? [] : [absorbed]);
    const { fsm, encryptionMac } = bench.store.state;
    if (outcome !== "taken") {
      assert.equal(fsm, prior.fsm);
      assert.equal(encryptionMac, prior.encryptionMac);
    } else {
      const row = encodeEncryptionState(fsm.encryption);
      assert.deepEqual(encryptionMac, await custody.stateMac(CLUSTER, row));
      assert.equal(fsm.encryption.stateIndex, absorbed ?? 2);
    }
    await bench.close();
  });
}

Deno.test("Applier applies a change of encryption alone", async () => {
  const custody = new FakeCustody("n1");
  const bench = await ActingBench.open(new SimKvDisk(), custody);
  const seen: (readonly number[])[] = [];
  custody.beforeAbsorb = () => void seen.push([bench.applied, bench.durable]);
  const log = [
    ...[foundingEntry(), clockEntry(1), clockEntry(2)],
    ...[changeEntry(4, BOOTSTRAP), changeEntry(5, rotation(44))],
    ...[clockEntry(3), clockEntry(4)],
  ];
  await bench.apply(log);
  assert.deepEqual(seen, [[3, 3], [4, 4]], "all before it is in the store");
  assert.deepEqual(
    bench.groups.map(({ index, seq }) => [index, seq]),
    [[3, null], [4, null], [5, null], [7, 1]],
  );
  assert.equal(bench.store.state.fsm.clockMs, 4);
  await bench.close();
});

Deno.test("Applier takes a change that is applied already for done", async () => {
  const custody = new FakeCustody("n1");
  const bench = await ActingBench.open(new SimKvDisk(), custody);
  await bench.apply(BOOTSTRAPPED);
  const { state } = bench.store;
  bench.applier.enqueue({
    seq: 8,
    entries: [{
      ...{ type: 0, term: 1, index: 2 },
      data: new Uint8Array(changeEntry(2, BOOTSTRAP)),
    }],
  });
  await settle();
  assert.equal(bench.store.state, state);
  assert.deepEqual(custody.absorbed, [2], "once");
  const told = bench.groups.at(-1)!;
  assert.deepEqual([told.index, told.seq, told.encryption], [2, 8, null]);
  await bench.close();
});

const CAUSES = [
  "KEYS_KEK_MISMATCH",
  "KEYS_COMMITMENT_MISMATCH",
  "KEYS_KEY_CONFLICT",
  "KEYS_SIDECAR_WRITE_FAILED",
] as const;

for (const code of CAUSES) {
  Deno.test(`Applier halts before a change that custody refuses: ${code}`, async () => {
    const disk = new SimKvDisk();
    const custody = new FakeCustody("n1");
    const bench = await ActingBench.open(disk, custody);
    const cause = new CustodyFailure(code);
    custody.beforeAbsorb = () => Promise.reject(cause);
    bench.enqueue([...BOOTSTRAPPED, clockEntry(9)]);
    await settle();
    const { halted } = bench;
    assert.ok(halted instanceof EncryptionHaltedError);
    assert.deepEqual([halted.index, halted.cause], [2, cause]);
    assert.match(halted.message, /\b2$/);
    assert.equal(halted.remedy, cause.remedy);
    assert.equal(bench.applied, 1);
    await bench.close();

    // Once that is put right, a restart applies the same entry.
    const right = FakeCustody.opened("n1", custody.sidecar);
    const again = await ActingBench.open(disk, right);
    assert.equal(again.applied, 1);
    await again.apply([...BOOTSTRAPPED, clockEntry(9)]);
    assert.deepEqual(right.absorbed, [2]);
    await again.close();
  });
}

Deno.test("Applier ends with a bug of custody as it is", async () => {
  const custody = new FakeCustody("n1");
  const bench = await ActingBench.open(new SimKvDisk(), custody);
  const bug = new TypeError("a bug");
  custody.beforeAbsorb = () => Promise.reject(bug);
  bench.enqueue(BOOTSTRAPPED);
  await settle();
  assert.equal(bench.halted, bug);
  await bench.close();
});

function unavailable(): Promise<void> {
  return Promise.reject(new CustodyFailure("KEYS_KEK_UNAVAILABLE"));
}

Deno.test("Applier waits for a KEK provider, and goes on when it is back", async () => {
  const custody = new FakeCustody("n1");
  const bench = await ActingBench.open(new SimKvDisk(), custody);
  custody.beforeAbsorb = unavailable;
  bench.enqueue([...BOOTSTRAPPED, clockEntry(9)]);
  await bench.clock.run(60_000);
  assert.equal(bench.halted, null);
  assert.deepEqual([bench.applied, bench.durable], [1, 1]);
  assert.equal(bench.acting.isKekWaiting, true);
  assert.equal(bench.log.named("encryption_kek_waiting").length, 1);
  custody.beforeAbsorb = () => {};
  await bench.clock.run(5_000);
  assert.equal(bench.applied, 3);
  assert.equal(bench.acting.isKekWaiting, false);
  assert.equal(bench.groups[1]?.encryption?.refusal, null);
  await bench.close();
});

Deno.test("Applier.stop() ends the wait for a KEK provider", async () => {
  const disk = new SimKvDisk();
  const custody = new FakeCustody("n1");
  const bench = await ActingBench.open(disk, custody);
  custody.beforeAbsorb = unavailable;
  bench.enqueue(BOOTSTRAPPED);
  await bench.clock.run(1_000);
  await bench.close();
  assert.equal(bench.halted, null);
  assert.equal(bench.applied, 1);
  const again = await ActingBench.open(disk, new FakeCustody("n1"));
  await again.apply(BOOTSTRAPPED);
  await again.close();
});

Deno.test("Applier.replaceStore() ends the wait, and skips the change", async () => {
  const custody = new FakeCustody("n1");
  const bench = await ActingBench.open(new SimKvDisk(), custody);
  custody.beforeAbsorb = unavailable;
  bench.enqueue(BOOTSTRAPPED, 5);
  await bench.clock.run(1_000);
  await bench.applier.replaceStore(async () => {
    const { state } = bench.store;
    const applied = { index: 50, term: 1 };
    await bench.store.commit({ state: { ...state, applied }, mutations: [] });
  });
  await settle();
  assert.deepEqual(bench.skipped, [5], "the checkpoint has it");
  assert.deepEqual([bench.applied, bench.halted], [50, null]);
  await bench.close();
});

Deno.test("EncryptionActing counts on from what earlier members of its name registered", async () => {
  const log = [
    ...BOOTSTRAPPED,
    changeEntry(3, registrationOf("n1", 4)),
    changeEntry(4, registrationOf("n2", 9)),
    changeEntry(5, registrationOf("n1", 6, [STORAGE])),
  ];
  const writer = writerNameOf("n1");
  const custody = new FakeCustody("n1");
  const disk = new SimKvDisk();
  const bench = await ActingBench.open(disk, custody, { ownFrom: 9 });
  await bench.apply(log);
  const epochs = [[STORAGE, 7], [RAFT, 5], [STATE, 1]];
  assert.deepEqual([...custody.epochs()], epochs);
  const { encryption } = bench.store.state.fsm;
  assert.equal(registeredEpoch(encryption, writer, STORAGE), 6);
  await bench.close();
  // A replay after a start has nothing to add.
  const again = await ActingBench.open(
    new SimKvDisk(),
    FakeCustody.opened("n1", custody.sidecar),
    { ownFrom: 9 },
  );
  await again.apply(log);
  assert.deepEqual(
    [...again.custody.epochs()],
    epochs.map(([id, epoch]) => [id, epoch! + 1]),
  );
  await again.close();
});

Deno.test("EncryptionActing leaves its epochs alone when it is its own registration", async () => {
  const custody = new FakeCustody("n1");
  const bench = await ActingBench.open(new SimKvDisk(), custody);
  await bench.apply([...BOOTSTRAPPED, changeEntry(3, registrationOf("n1", 6))]);
  assert.equal(custody.epochs().get(STORAGE), 1);
  await bench.close();
});
