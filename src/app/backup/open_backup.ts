import { type KeyId, NO_KEY } from "../../base/data_key.ts";
import { NodeError } from "../../base/error.ts";
import type { Disk, DiskFile } from "../../io/disk.ts";
import { openDataKey } from "../../keys/data_key.ts";
import { KekMismatchError } from "../../keys/errors.ts";
import type { Kek } from "../../keys/port.ts";
import { openStreamKeys } from "../../node/encryption/stream_keys.ts";
import {
  type CheckpointFile,
  type OpenedHeader,
  openHeader,
  walkCheckpoint,
} from "../../store/checkpoint/chunk_reader.ts";
import { streamKeyId } from "../../store/checkpoint/header.ts";
import {
  type CheckpointReader,
  readCheckpoint,
  type ReadCheckpointOptions,
} from "../../store/checkpoint/read.ts";
import type { CheckpointRecord } from "../../store/checkpoint/source.ts";
import { CheckpointDamagedError } from "../../store/errors.ts";
import type { CheckpointState } from "../../store/meta.ts";
import { BackupDamagedError, BackupKeysMissingError } from "./errors.ts";

/** Runs `use` on the backup at `path`. @throws {DiskError} */
export async function withBackup<Result>(
  disk: Disk,
  path: string,
  use: (backup: BackupFile) => Promise<Result>,
): Promise<Result> {
  const file = await disk.open(path, "reading");
  try {
    return await use(new BackupFile(file));
  } finally {
    await file.close();
  }
}

/** A backup file; its damage is reported as a backup's. */
export class BackupFile {
  readonly path: string;
  readonly #file: CheckpointFile;

  constructor(file: DiskFile) {
    this.path = file.path;
    this.#file = file;
  }

  /** @throws {BackupDamagedError | CheckpointUnsupportedError} */
  header(): Promise<OpenedHeader> {
    return this.#asBackup(() => openHeader(this.#file));
  }

  /** Reads all that can be read without keys. @throws As `header`. */
  walk(): Promise<OpenedHeader> {
    return this.#asBackup(() => walkCheckpoint(this.#file));
  }

  /**
   * Opens it: by one of `keks` when it is sealed.
   *
   * @throws {BackupKeysMissingError} None of them does.
   * @throws {KekUnavailableError}
   * @throws As `header`.
   */
  async open(keks: readonly Kek[]): Promise<OpenedBackup> {
    const { header: { state } } = await this.header();
    const keyId = streamKeyId(state);
    const keys = keyId === NO_KEY ? {} : await this.#keys(state, keks);
    return new OpenedBackup(
      () => this.#asBackup(() => readCheckpoint(this.#file, keys)),
      (task) => this.#asBackup(task),
    );
  }

  async #keys(
    state: CheckpointState,
    keks: readonly Kek[],
  ): Promise<ReadCheckpointOptions> {
    const keyId = streamKeyId(state);
    if (keks.length === 0) throw this.keysMissing(state, keyId, keks);
    try {
      return {
        keys: await openStreamKeys(
          state,
          (clusterId, key, known) =>
            openDataKey({ clusterId, keks, known }, key),
        ),
      };
    } catch (cause) {
      if (cause instanceof KekMismatchError) {
        throw this.keysMissing(state, keyId, keks, { cause });
      }
      // A KEK that wraps the key does not open it: the header was changed.
      const isChanged = cause instanceof NodeError &&
        cause.code !== "KEYS_KEK_UNAVAILABLE";
      if (!isChanged) throw cause;
      const damage = { fault: "a data key that does not open", offset: 0 };
      throw new BackupDamagedError(this.path, damage, { cause });
    }
  }

  /** The refusal that names what wraps a key of `state`. */
  keysMissing(
    { fsm }: CheckpointState,
    keyId: KeyId,
    keks: readonly Kek[],
    options?: ErrorOptions,
  ): BackupKeysMissingError {
    const wraps = fsm.encryption.keys.get(keyId)?.wraps ?? [];
    const wrappedUnder = wraps.map(({ kek }) => kek);
    const given = keks.map(({ id }) => id);
    const keys = { keyId, wrappedUnder, given };
    return new BackupKeysMissingError(this.path, keys, options);
  }

  async #asBackup<Result>(task: () => Promise<Result>): Promise<Result> {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof CheckpointDamagedError)) throw error;
      const { cause } = error;
      throw new BackupDamagedError(this.path, error, { cause });
    }
  }
}

type Guard = <Result>(task: () => Promise<Result>) => Promise<Result>;

/** A backup whose chunks open. */
export class OpenedBackup {
  readonly #read: () => Promise<CheckpointReader>;
  readonly #guard: Guard;

  constructor(read: () => Promise<CheckpointReader>, guard: Guard) {
    this.#read = read;
    this.#guard = guard;
  }

  /** Reads all of it. @throws {BackupDamagedError} */
  async verify(): Promise<{
    readonly state: CheckpointState;
    readonly records: number;
    readonly bytes: number;
  }> {
    const reader = await this.#read();
    let records = 0;
    await this.#guard(async () => {
      for await (const page of reader.records()) records += page.length;
    });
    return { state: reader.state, records, bytes: reader.bytes };
  }

  /** A reader of all of it, from the start. */
  reader(): Promise<CheckpointReader> {
    return this.#read();
  }

  /** The records of `reader`, once. @throws {BackupDamagedError} */
  async *recordsOf(
    reader: CheckpointReader,
  ): AsyncGenerator<readonly CheckpointRecord[]> {
    const pages = reader.records();
    for (;;) {
      const next = await this.#guard(() => pages.next());
      if (next.done === true) return;
      yield next.value;
    }
  }
}
