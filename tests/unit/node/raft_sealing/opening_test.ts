/*
 * Goal: the applier takes an entry for sealed exactly if it is above the raft
 * cutover, opens it by the state it is applied to, and halts before one that
 * does not open.
 * Method: logs to an applier with its real acting and opening halves.
 */
import assert from "node:assert/strict";
import { type Bytes, concatBytes } from "../../../../src/base/bytes.ts";
import { EnvelopeRejectedError } from "../../../../src/crypto/errors.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { encodeClock } from "../../../../src/fsm/payload.ts";
import { encodeProposal } from "../../../../src/fsm/proposal.ts";
import { ApplyHaltedError } from "../../../../src/node/errors.ts";
import { RaftUnwrapFailedError } from "../../../../src/node/raft_sealing/errors.ts";
import { settle } from "../../../sim/io/clock.ts";
import { SimKvDisk } from "../../../sim/io/kv.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import {
  ActingBench,
  changeEntry,
  clockEntry,
} from "../encryption/acting_bench.ts";
import { RAFT, STORAGE } from "../encryption/changes.ts";
import {
  CUT_OVER,
  dekOf,
  KeyedCustody,
  MARKER,
  raftRotation,
  sealed,
  sealedEntry,
} from "./sealed_entries.ts";

useTurnCrypto();

const NEXT = 55;
const EMPTY = new Uint8Array(0);

async function open(): Promise<[ActingBench, KeyedCustody]> {
  const custody = await KeyedCustody.of(RAFT, NEXT, STORAGE);
  return [await ActingBench.open(new SimKvDisk(), custody), custody];
}

function clock(ms: number, keyId = RAFT): Promise<Bytes> {
  return sealedEntry(0, keyId, encodeClock(ms));
}

Deno.test("Applier opens what is above the cutover, in one job with the marker", async () => {
  const [bench] = await open();
  await bench.apply([
    ...CUT_OVER,
    await clock(7_000),
    EMPTY,
    await clock(8_000),
  ]);
  assert.equal(bench.store.state.fsm.clockMs, 8_000);
  assert.equal(bench.store.state.fsm.encryption.raftCutoverIndex, 4);
  await bench.close();
});

Deno.test("Applier takes the entry at the cutover and those before it as they are", async () => {
  const [bench] = await open();
  const log = [...CUT_OVER.slice(0, 3), clockEntry(5), CUT_OVER[3]!];
  await bench.apply(log);
  assert.equal(bench.store.state.fsm.clockMs, 5);
  await bench.close();
});

Deno.test("Applier opens no entry before the one that brings its key is applied", async () => {
  const [bench, custody] = await open();
  const rotation = sealedEntry(6, RAFT, raftRotation(NEXT));
  await bench.apply([
    ...CUT_OVER,
    await clock(5_000),
    await rotation,
    await clock(7_000, NEXT),
    await clock(8_000, RAFT),
  ]);
  assert.deepEqual(custody.asked, [RAFT, NEXT], "once each");
  const { clockMs, encryption } = bench.store.state.fsm;
  assert.deepEqual([clockMs, encryption.active.raft], [8_000, NEXT]);
  const alone = bench.groups.filter((group) => group.encryption !== null);
  assert.deepEqual(alone.map(({ index }) => index), [2, 3, 4, 6]);
  await bench.close();
});

Deno.test("Applier takes a marker above the cutover as it is: it changes nothing", async () => {
  const [bench] = await open();
  await bench.apply([...CUT_OVER, changeEntry(5, MARKER), await clock(9)]);
  assert.equal(bench.store.state.fsm.encryption.raftCutoverIndex, 4);
  await bench.close();
});

const RETIRED = encodeEncryption({ kind: "retire-dek", keyId: RAFT });

const REFUSED: [
  name: string,
  made: () => Promise<readonly Uint8Array[]>,
  found: RegExp,
][] = [
  ["is not sealed", async () => [clockEntry(9)], /it is not sealed/],
  [
    "is a change that is not sealed",
    async () => [changeEntry(5, { kind: "seal-cleartext" })],
    /it is not sealed/,
  ],
  [
    "is sealed with a key that nobody brought",
    async () => [await clock(9, NEXT)],
    /key 55 is no raft key/,
  ],
  [
    "is sealed with a key of another purpose",
    async () => [await clock(9, STORAGE)],
    /key 11 is no raft key/,
  ],
  [
    "is sealed with a key that is retired",
    async () => [
      await sealedEntry(5, RAFT, raftRotation(NEXT)),
      await sealedEntry(6, NEXT, RETIRED),
      await clock(9, RAFT),
    ],
    /key 22 is no raft key/,
  ],
  [
    "is of another cluster",
    async () => [
      await sealedEntry(0, RAFT, encodeClock(9), {
        clusterId: new Uint8Array(16).fill(2),
      }),
    ],
    /key 22/,
  ],
  [
    "is sealed with another key in fact",
    async () => [
      await sealedEntry(0, RAFT, encodeClock(9), { dek: await dekOf(1) }),
    ],
    /key 22/,
  ],
  [
    "is sealed twice",
    async () => [
      await sealedEntry(0, RAFT, await sealed(RAFT, encodeClock(9))),
    ],
    /Cannot apply the committed entry 5$/,
  ],
  [
    "has a byte more",
    async () => [concatBytes(await clock(9), Uint8Array.of(0))],
    /key 22/,
  ],
];

for (const [name, made, found] of REFUSED) {
  Deno.test(`Applier halts before an entry that ${name}, and applies all before it`, async () => {
    const [bench] = await open();
    const bad = await made();
    bench.enqueue([...CUT_OVER, ...bad, await clock(99)]);
    await settle();
    const { halted } = bench;
    assert.ok(
      halted instanceof RaftUnwrapFailedError ||
        halted instanceof ApplyHaltedError,
      `${halted}`,
    );
    const index = CUT_OVER.length + bad.length;
    assert.deepEqual([halted.index, bench.applied], [index, index - 1]);
    assert.match(halted.message, found);
    await bench.close();
  });
}

Deno.test("Applier halts alike when the bad entry shares a job with good ones", async () => {
  const [bench] = await open();
  const log = [...CUT_OVER, await clock(7), clockEntry(8)];
  bench.enqueue(log);
  await settle();
  assert.deepEqual([bench.applied, bench.store.state.fsm.clockMs], [5, 7]);
  assert.ok(bench.halted instanceof RaftUnwrapFailedError);
  assert.match(bench.halted.remedy, /sealkv member rebuild n1 /);
  await bench.close();
});

Deno.test("Applier says which rule of the envelope does not hold", async () => {
  const [bench] = await open();
  const entry = await clock(9);
  entry[entry.length - 1]! ^= 1;
  bench.enqueue([...CUT_OVER, entry]);
  await settle();
  const cause = bench.halted?.cause;
  assert.ok(cause instanceof EnvelopeRejectedError);
  assert.equal(cause.fault, "tag");
  await bench.close();
});

Deno.test("Applier takes a sealed entry below the cutover for no payload", async () => {
  const [bench] = await open();
  const log = [...CUT_OVER.slice(0, 3), await clock(9)];
  bench.enqueue(log);
  await settle();
  assert.ok(bench.halted instanceof ApplyHaltedError);
  assert.equal(bench.applied, 3);
  await bench.close();
});

Deno.test("Applier opens again after a restart, and nothing twice", async () => {
  const disk = new SimKvDisk();
  const custody = await KeyedCustody.of(RAFT, NEXT);
  const log = [...CUT_OVER, await clock(7)];
  const bench = await ActingBench.open(disk, custody);
  await bench.apply(log);
  await bench.close();
  const again = await ActingBench.open(disk, custody);
  await again.apply([...log, await clock(8)]);
  assert.equal(again.store.state.fsm.clockMs, 8);
  await again.close();
});

Deno.test("Applier passes over what a checkpoint holds, whatever it was sealed with", async () => {
  const [bench] = await open();
  await bench.apply([...CUT_OVER, await clock(7)]);
  const entry = { type: 0, term: 1, index: 5 } as const;
  const data = encodeProposal(0, await sealed(NEXT, encodeClock(9)));
  bench.applier.enqueue({ seq: 2, entries: [{ ...entry, data }] });
  await settle();
  assert.equal(bench.halted, null);
  assert.deepEqual([bench.applied, bench.groups.at(-1)?.seq], [5, 2]);
  await bench.close();
});
