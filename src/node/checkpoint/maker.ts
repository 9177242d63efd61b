import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../io/clock.ts";
import type { Disk } from "../../io/disk.ts";
import type { Random } from "../../io/random.ts";
import type { LogIndex } from "../../raft/types.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import { Pace } from "../../store/checkpoint/pace.ts";
import type { StreamKeys } from "../../store/checkpoint/sealed_chunks.ts";
import { writeCheckpointFile } from "../../store/checkpoint/write.ts";
import { OUTGOING_PREFIX } from "./outgoing_files.ts";
import type { CheckpointFile } from "./port.ts";

export interface StoreMakerParts {
  readonly disk: Disk;
  /** Where checkpoints on their way lie. */
  readonly dir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<BufferedStore, "checkpoint">;
  /** Of the sealed streams that it makes. */
  readonly keys: StreamKeys;
  /** Of all that is made; no bound unless given. */
  readonly bytesPerSecond?: number;
}

const PIECE_BYTES = 65_536;
const BACKUP_PREFIX = `${OUTGOING_PREFIX}backup-`;

/** Makes checkpoints of this member's store: sealed from the cutover on. */
export class StoreMaker {
  readonly #parts: StoreMakerParts;
  /** Backups under way, and the index of each. */
  readonly #backups = new Map<string, LogIndex>();
  /** Backups whose files are being made, by path; none fails. */
  readonly #making = new Map<string, Promise<unknown>>();
  #sequence = 0;

  constructor(parts: StoreMakerParts) {
    this.#parts = parts;
  }

  /**
   * Writes the store's durable state to the new file `path` and syncs it;
   * with `flush`, of all that was answered before.
   */
  async make(
    path: string,
    { flush }: { readonly flush: boolean },
  ): Promise<CheckpointFile> {
    const { store, disk, random, clock, keys, bytesPerSecond } = this.#parts;
    const source = await store.checkpoint({
      flush,
      ...(bytesPerSecond === undefined
        ? {}
        : { pace: new Pace(clock, bytesPerSecond) }),
    });
    const { applied, confState } = source.state;
    const { bytes, digest } = await writeCheckpointFile(
      source,
      { disk, path },
      { random, keys },
    );
    return { ...applied, confState, path, bytes, digest };
  }

  /** The applied state as a stream, read from a file made for it. */
  async *backup(): AsyncGenerator<Bytes> {
    const { disk, dir } = this.#parts;
    this.#sequence += 1;
    const path = `${dir}/${BACKUP_PREFIX}${this.#sequence}`;
    try {
      // All that was answered, also what the store has yet to make durable.
      const making = this.make(path, { flush: true });
      this.#making.set(path, making.catch(() => {}));
      const { index } = await making;
      this.#backups.set(path, index);
      const file = await disk.open(path, "existing");
      try {
        const size = await file.size();
        for (let at = 0; at < size;) {
          const bytes = await file.readAt(at, PIECE_BYTES);
          at += bytes.length;
          yield bytes;
        }
      } finally {
        await file.close();
      }
    } finally {
      this.#making.delete(path);
      this.#backups.delete(path);
      await disk.remove(path);
    }
  }

  /**
   * Takes the names of files away that backups below `index` still read, and
   * what is left of ended ones.
   *
   * @throws {DiskError} One is left.
   */
  async removeBelow(below: LogIndex): Promise<void> {
    const { disk, dir } = this.#parts;
    await Promise.all(this.#making.values());
    for (const { name } of await disk.list(dir)) {
      if (!name.startsWith(BACKUP_PREFIX)) continue;
      const path = `${dir}/${name}`;
      const index = this.#backups.get(path);
      const isMade = [...this.#making.keys()].some((made) =>
        path === made || path === `${made}.tmp`
      );
      if (index === undefined ? !isMade : index < below) {
        await disk.remove(path);
      }
    }
  }
}
