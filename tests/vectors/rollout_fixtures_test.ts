/*
 * Bytes that members once wrote into logs, sent each other, or gave out as a
 * backup, from the cutovers on: they are read for ever. Lines of hex.
 */
import assert from "node:assert/strict";
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { verifyBackup } from "../../src/app/backup/verify.ts";
import { encodeClock } from "../../src/fsm/payload.ts";
import { decodeProposal, encodeProposal } from "../../src/fsm/proposal.ts";
import type { FsmState } from "../../src/fsm/types.ts";
import type { KeyCustody } from "../../src/keys/port.ts";
import {
  decodeTaskAsk,
  decodeTaskReport,
  encodeTaskAsk,
  encodeTaskReport,
} from "../../src/node/encryption/tasks/packet.ts";
import type {
  TaskAsk,
  TaskReport,
} from "../../src/node/encryption/tasks/task.ts";
import { RaftOpener } from "../../src/node/raft_sealing/opener.ts";
import { readCheckpoint } from "../../src/store/checkpoint/read.ts";
import { BackupWorld, RECORD_COUNT } from "../unit/app/backup/backup_world.ts";
import {
  BOOTSTRAP,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  founded,
  RAFT,
  stateAfter,
} from "../unit/fsm/encryption_fixtures.ts";
import { dekOf, sealed } from "../unit/node/raft_sealing/sealed_entries.ts";
import {
  fileOf,
  RECORDS,
  SEALED_STATE,
  streamKeysOf,
  streamOf,
} from "../unit/store/checkpoint/stream.ts";
import { ROLLOUTS } from "../unit/store/rollout_model.ts";

const FIXTURES = new URL("../fixtures/v1/", import.meta.url);

async function fixture(name: string): Promise<Bytes[]> {
  const text = await Deno.readTextFile(new URL(`${name}.hex`, FIXTURES));
  return text.trim().split("\n").map((line) => {
    const bytes = fromHex(line);
    assert.ok(bytes !== null, "a line is hex");
    return bytes;
  });
}

const CUT_OVER = stateAfter(BOOTSTRAP, ENABLE_STORAGE, ENABLE_RAFT);

function raftEntry(payload: Bytes): Promise<Bytes> {
  const salt = Uint8Array.from({ length: 16 }, (_, i) => 0x40 + i);
  return sealed(RAFT, payload, { node16: 0xd4c0, epoch: 7, salt })
    .then((envelope) => encodeProposal(0x1234, envelope));
}

Deno.test("raft_entry opens, and is sealed so today", async () => {
  const [entry] = await fixture("raft_entry");
  assert.ok(entry !== undefined);
  const { proposalId, payload } = decodeProposal(entry);
  assert.equal(proposalId, 0x1234);
  const dek = await dekOf(RAFT);
  const custody: Pick<KeyCustody, "dek"> = { dek: () => dek };
  const opener = new RaftOpener({ name: "n1", custody });
  const fsm: FsmState = founded(CUT_OVER);
  const index = CUT_OVER.raftCutoverIndex + 1;
  assert.ok(opener.isSealed(fsm, index, payload));
  const opened = await opener.open(fsm, index, payload.slice());
  const clock = encodeClock(1_777_456_800_000);
  assert.equal(toHex(opened), toHex(clock));
  assert.equal(toHex(await raftEntry(clock)), toHex(entry));
});

const ASKS: readonly TaskAsk[] = [
  { task: 0x1_0000_0001, spec: { kind: "scan", appliedFrom: 184_273 } },
  {
    task: 2,
    spec: { kind: "key-references", appliedFrom: 9, keyId: 0xfedc_ba98 },
  },
  { task: 3, spec: { kind: "scrub", appliedFrom: 9 } },
  { task: 4, spec: { kind: "rewrite", appliedFrom: 0 } },
  { task: 5, spec: { kind: "rewrite", appliedFrom: 184_273 } },
];
const REPORT: TaskReport = {
  ...{ task: 0x1_0000_0001, state: "running", done: 5, total: 900 },
  ...{ bytes: 70_000, elapsedMs: 1_234, failure: "" },
  ...{ counts: null, references: null },
};
const REPORTS: readonly TaskReport[] = [
  REPORT,
  { ...REPORT, state: "waiting", done: 0, total: 0, bytes: 0 },
  { ...REPORT, state: "paused" },
  { ...REPORT, state: "failed", failure: "it is größer" },
  {
    ...REPORT,
    state: "done",
    counts: { cleartext: 2, sealed: new Map([[5, 898], [0xfedc_ba98, 0]]) },
  },
  {
    ...REPORT,
    state: "done",
    references: { entries: 3, lastIndex: 88, checkpointIndex: 87 },
  },
];

Deno.test("member_task_asks are read, and written so today", async () => {
  const asks = await fixture("member_task_asks");
  assert.deepEqual(asks.map(decodeTaskAsk), ASKS);
  assert.deepEqual(ASKS.map(encodeTaskAsk).map(toHex), asks.map(toHex));
});

Deno.test("member_task_reports are read, and written so today", async () => {
  const reports = await fixture("member_task_reports");
  assert.deepEqual(reports.map(decodeTaskReport), REPORTS);
  assert.deepEqual(
    REPORTS.map(encodeTaskReport).map(toHex),
    reports.map(toHex),
  );
});

const WITH_ROLLOUT = {
  ...SEALED_STATE,
  fsm: { ...SEALED_STATE.fsm, rollout: ROLLOUTS.at(-1)! },
};
const FEW = RECORDS.slice(0, 2);

Deno.test("checkpoint_rollout is read, and written so today", async () => {
  const [stream] = await fixture("checkpoint_rollout");
  assert.ok(stream !== undefined);
  // The storage key is 32 times 07.
  const keys = streamKeysOf(7);
  const reader = await readCheckpoint(fileOf(stream), { keys });
  assert.deepEqual(reader.state, WITH_ROLLOUT);
  const again = await streamOf(WITH_ROLLOUT, FEW, { keys });
  assert.equal(toHex(again), toHex(stream));
});

Deno.test("backup is verified with the KEK of its time", async () => {
  const [backup] = await fixture("backup");
  assert.ok(backup !== undefined);
  await using world = await BackupWorld.open();
  const path = `${world.dir}/backup`;
  await Deno.writeFile(path, backup);
  // The KEK is 32 times 01.
  const facts = await verifyBackup(world.ports, { path, keks: [world.kek] });
  assert.deepEqual(
    [facts.records, facts.isSealed, facts.keys.length, facts.verified],
    [RECORD_COUNT, true, 3, "all"],
  );
});
