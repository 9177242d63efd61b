import assert from "node:assert/strict";
import { type Bytes, concatBytes, utf8 } from "../../../../src/base/bytes.ts";
import type { KeyPurpose, WrappedKey } from "../../../../src/base/data_key.ts";
import {
  ENCODING_BYTES,
  type EncryptionState,
  type KeyEntry,
  NO_ENCRYPTION,
} from "../../../../src/fsm/types.ts";
import { denoClock } from "../../../../src/io/deno/clock.ts";
import { type DenoDisk, openDenoDisk } from "../../../../src/io/deno/disk.ts";
import { openDenoKv } from "../../../../src/io/deno/kv.ts";
import { denoRandom } from "../../../../src/io/deno/random.ts";
import { drawDataKey, openDataKey } from "../../../../src/keys/data_key.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { openStreamKeys } from "../../../../src/node/encryption/stream_keys.ts";
import type { CheckpointRecord } from "../../../../src/store/checkpoint/source.ts";
import { writeCheckpoint } from "../../../../src/store/checkpoint/write.ts";
import type { CheckpointState } from "../../../../src/store/meta.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { sourceOf, STATE } from "../../store/checkpoint/stream.ts";

/** What every value of a made backup has in it. */
export const CANARY = "canary-in-every-value";
export const OLD_INDEX = STATE.applied.index;
export const RECORD_COUNT = 40;

/** How far the cluster of a backup had come. */
export type Phase = "no keys" | "keys" | "storage" | "raft and lock";

/** A directory with backups, and the KEK that their keys are under. */
export class BackupWorld implements AsyncDisposable {
  readonly disk: DenoDisk = openDenoDisk();

  private constructor(readonly dir: string, readonly kek: TestKek) {}

  static async open(): Promise<BackupWorld> {
    const dir = await Deno.makeTempDir({ prefix: "sealkv-backup-" });
    return new BackupWorld(dir, await TestKek.of(1));
  }

  get ports() {
    return {
      ...{ disk: this.disk, openKv: openDenoKv },
      ...{ random: denoRandom(), clock: denoClock() },
    };
  }

  /** Writes a backup of a cluster at `phase`, and names it. */
  async backup(phase: Phase): Promise<string> {
    const path = `${this.dir}/${phase.replaceAll(" ", "-")}.sealkv`;
    await Deno.writeFile(path, await this.bytes(phase));
    return path;
  }

  async bytes(phase: Phase, records = RECORD_COUNT): Promise<Bytes> {
    const state = await stateAt(phase, this.kek);
    const isSealed = state.fsm.encryption.storageCutoverIndex > 0;
    const keks = [this.kek];
    const keys = isSealed
      ? await openStreamKeys(
        state,
        (clusterId, key, known) => openDataKey({ clusterId, keks, known }, key),
      )
      : undefined;
    const parts: Bytes[] = [];
    await writeCheckpoint(
      sourceOf(state, recordsOf(records)),
      { write: async (bytes) => void parts.push(bytes.slice()) },
      { random: new SimRandom(3), ...(keys === undefined ? {} : { keys }) },
    );
    return concatBytes(...parts);
  }

  /** Names of what is in the directory. */
  async names(): Promise<readonly string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.dir));
    return entries.map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disk.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** `bytes` in pieces, as a member sends them. */
export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 500) {
    yield bytes.subarray(at, at + 500);
  }
}

function recordsOf(count: number): readonly CheckpointRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const number = String(i).padStart(4, "0");
    return {
      database: 1,
      key: utf8(`\x02k${number}\x00`),
      value: { data: utf8(`${CANARY} ${number}`), encoding: ENCODING_BYTES },
      versionstamp: Uint8Array.of(0, 0, 0, 0, 0, 2, 0xcf, 0xd1, 0, i & 0xff),
      expireAtMs: 0,
    };
  });
}

async function stateAt(phase: Phase, kek: Kek): Promise<CheckpointState> {
  const { fsm } = STATE;
  if (phase === "no keys") return STATE;
  const { clusterId } = fsm;
  assert.ok(clusterId !== null);
  const random = new SimRandom(5);
  const draw = async (purpose: KeyPurpose): Promise<WrappedKey> =>
    await drawDataKey({ random, keks: [kek] }, {
      ...{ clusterId, purpose, taken: () => false, createdMs: 1_000 },
    });
  const keys = [await draw("storage"), await draw("raft"), await draw("state")];
  const encryption = encryptionAt(phase, keys);
  return { ...STATE, fsm: { ...fsm, encryption } };
}

function encryptionAt(
  phase: Phase,
  keys: readonly WrappedKey[],
): EncryptionState {
  const entries = keys.toSorted((a, b) => a.id - b.id)
    .map((key): [number, KeyEntry] => [
      key.id,
      { ...key, createdIndex: 100, deactivatedIndex: 0 },
    ]);
  const of = (purpose: KeyPurpose) =>
    keys.find((key) => key.purpose === purpose)!.id;
  const isSealed = phase === "storage" || phase === "raft and lock";
  const isLocked = phase === "raft and lock";
  return {
    ...NO_ENCRYPTION,
    stateIndex: 400,
    keys: new Map(entries),
    active: { storage: of("storage"), raft: of("raft") },
    stateKey: of("state"),
    storageCutoverIndex: isSealed ? 200 : 0,
    cleartextLockIndex: isLocked ? 300 : 0,
    raftCutoverIndex: isLocked ? 400 : 0,
  };
}
