import { type Bytes, equalBytes } from "../../../src/base/bytes.ts";
import { KEYS_MAX } from "../../../src/base/data_key.ts";
import { BackupDamagedError } from "../../../src/app/backup/errors.ts";
import { BackupFile } from "../../../src/app/backup/open_backup.ts";
import { isRaftMarker } from "../../../src/fsm/encryption_payload.ts";
import { encodeClock } from "../../../src/fsm/payload.ts";
import type { DiskFile } from "../../../src/io/disk.ts";
import {
  decodeTaskAsk,
  decodeTaskReport,
  encodeTaskAsk,
  encodeTaskReport,
} from "../../../src/node/encryption/tasks/packet.ts";
import type { TaskReport } from "../../../src/node/encryption/tasks/task.ts";
import { RaftUnwrapFailedError } from "../../../src/node/raft_sealing/errors.ts";
import { RaftOpener } from "../../../src/node/raft_sealing/opener.ts";
import { CHUNK_BYTES_MAX } from "../../../src/store/checkpoint/chunks.ts";
import { CheckpointUnsupportedError } from "../../../src/store/errors.ts";
import {
  BOOTSTRAP,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  founded,
  RAFT,
  stateAfter,
} from "../../unit/fsm/encryption_fixtures.ts";
import { dekOf, sealed } from "../../unit/node/raft_sealing/sealed_entries.ts";
import { BackupWorld } from "../../unit/app/backup/backup_world.ts";
import { fileOf } from "../../unit/store/checkpoint/stream.ts";
import { type Decoder, nothing, only, type Verdict } from "../run/decoder.ts";

const ENTRY_BYTES_MAX = 1_048_576;
const FSM = founded(stateAfter(BOOTSTRAP, ENABLE_STORAGE, ENABLE_RAFT));
const DEK = await dekOf(RAFT);
const OPENER = new RaftOpener({ name: "n1", custody: { dek: () => DEK } });
const PAYLOAD = encodeClock(7);
const SEALED = await sealed(RAFT, PAYLOAD);

/** Nothing opens but what was sealed. */
async function openEntry(bytes: Bytes): Promise<Verdict> {
  if (bytes.length > ENTRY_BYTES_MAX) return null;
  // A marker is applied as it is, and changes nothing up there.
  if (isRaftMarker(bytes)) return "taken";
  const payload = await OPENER.open(FSM, 9, bytes);
  if (!equalBytes(payload, PAYLOAD)) throw new Error("it was never sealed");
  return SEALED;
}

const REPORT: TaskReport = {
  ...{ task: 2 ** 40, state: "running", done: 5, total: 900 },
  ...{ bytes: 70_000, elapsedMs: 1_234, failure: "no" },
  ...{ counts: null, references: null },
};
const ALL_KEYS = Array.from(
  { length: KEYS_MAX },
  (_, i): [number, number] => [2 ** 25 * i + 1, i * 2 ** 40],
);

async function backups(): Promise<readonly Bytes[]> {
  await using world = await BackupWorld.open();
  return [await world.bytes("no keys", 3), await world.bytes("storage", 3)];
}

/** A file that is only read. */
function backupOf(bytes: Bytes): BackupFile {
  const never = () => Promise.reject(new Error("a backup is only read"));
  const file: DiskFile = {
    ...fileOf(bytes, "backup"),
    ...{ writeAt: never, writeAndSync: never, sync: never, truncate: never },
    close: () => Promise.resolve(),
  };
  return new BackupFile(file);
}

export const ROLLOUT_DECODERS: readonly Decoder[] = [
  {
    name: "node sealed entry",
    bytesMax: ENTRY_BYTES_MAX,
    valid: [SEALED],
    heapPerByte: 16,
    decode: openEntry,
    refuses: only(RaftUnwrapFailedError),
  },
  {
    name: "node task ask",
    bytesMax: 64,
    valid: [
      encodeTaskAsk({ task: 2 ** 40, spec: { kind: "scan", appliedFrom: 9 } }),
      encodeTaskAsk({
        task: 2,
        spec: { kind: "key-references", appliedFrom: 9, keyId: 2 ** 31 },
      }),
      encodeTaskAsk({ task: 3, spec: { kind: "scrub", appliedFrom: 300 } }),
      encodeTaskAsk({ task: 4, spec: { kind: "rewrite", appliedFrom: 0 } }),
      encodeTaskAsk({ task: 5, spec: { kind: "rewrite", appliedFrom: 700 } }),
    ],
    heapPerByte: 256,
    decode: (bytes) => {
      const ask = decodeTaskAsk(bytes);
      return ask && encodeTaskAsk(ask);
    },
    refuses: nothing,
  },
  {
    name: "node task report",
    bytesMax: 16_384,
    valid: [
      encodeTaskReport(REPORT),
      encodeTaskReport({
        ...{ ...REPORT, state: "done" },
        counts: { cleartext: 2, sealed: new Map(ALL_KEYS) },
      }),
      encodeTaskReport({
        ...{ ...REPORT, state: "done" },
        references: { entries: 3, lastIndex: 88, checkpointIndex: 87 },
      }),
    ],
    heapPerByte: 256,
    decode: (bytes) => {
      const report = decodeTaskReport(bytes);
      return report && encodeTaskReport(report);
    },
    refuses: nothing,
  },
  {
    name: "app backup file",
    bytesMax: CHUNK_BYTES_MAX,
    valid: await backups(),
    heapPerByte: 256,
    decode: (bytes) => backupOf(bytes).walk().then(() => "taken" as const),
    refuses: only(BackupDamagedError, CheckpointUnsupportedError),
  },
];
