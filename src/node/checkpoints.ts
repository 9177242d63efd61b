import { assert, present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { parentOf } from "../base/path.ts";
import type { Clock } from "../io/clock.ts";
import type { Disk } from "../io/disk.ts";
import type { Kv } from "../io/kv.ts";
import type { EventLog } from "../io/log.ts";
import type { Random } from "../io/random.ts";
import type { KeyCustody } from "../keys/port.ts";
import type { LogIndex, RaftId, SnapshotMetadata } from "../raft/types.ts";
import type { BufferedStore } from "../store/buffered_store.ts";
import { buildStore } from "../store/checkpoint/build.ts";
import { Pace } from "../store/checkpoint/pace.ts";
import { readCheckpoint, verifyCheckpoint } from "../store/checkpoint/read.ts";
import { writeCheckpointFile } from "../store/checkpoint/write.ts";
import type { CheckpointState } from "../store/meta.ts";
import type { RecordKeys } from "../store/record_keys.ts";
import { Store } from "../store/store.ts";
import type { PeerStream } from "../transport/port.ts";
import type {
  CheckpointFile,
  InstallOutcome,
  LogHold,
  Prepared,
  TransferStatus,
} from "./checkpoint/port.ts";
import { CheckpointReceiver } from "./checkpoint/receiver.ts";
import { CheckpointSender } from "./checkpoint/sender.ts";
import { CheckpointKeys, type OwnRows } from "./encryption/checkpoint_keys.ts";
import { EncryptionHaltedError } from "./encryption/errors.ts";
import type { Identity } from "./identity.ts";
import type { StorePlace } from "./store_place.ts";

/** What checkpoints ask and tell their node. */
export interface CheckpointsHost {
  isLeader(id: RaftId): boolean;
  leads(): boolean;
  matchOf(id: RaftId): LogIndex;
  firstIndex(): LogIndex;
  lastIndex(): LogIndex;
  committed(): LogIndex;
  /** Offers a verified checkpoint to the core; true when it is wanted. */
  offer(metadata: SnapshotMetadata): boolean;
  report(peer: RaftId, failed: boolean): void;
  openStream(to: RaftId): Promise<PeerStream>;
  onFatal(error: unknown): void;
}

export interface CheckpointsParts {
  readonly disk: Disk;
  readonly openKv: (path: string) => Promise<Kv>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly store: BufferedStore;
  readonly place: StorePlace;
  readonly custody: KeyCustody;
  /** `null` on a node that never seals. */
  readonly recordKeys: RecordKeys | null;
  readonly identity: Identity;
  /** Where checkpoints on their way lie. */
  readonly dir: string;
  /** Of checkpoints made and sent; no bound unless given. */
  readonly bytesPerSecond?: number;
}

/** A new store beside the one in use. */
interface PreparedStore extends Prepared {
  readonly path: string;
}

/** One that the core wants, until it is the store. */
interface Offered {
  readonly prepared: PreparedStore;
  readonly settle: (outcome: InstallOutcome) => void;
}

/**
 * A member's checkpoints: made, sent, received, and put in the store's place.
 */
export class Checkpoints implements LogHold {
  readonly #parts: CheckpointsParts;
  readonly #sender: CheckpointSender;
  readonly #receiver: CheckpointReceiver;
  readonly #keys: CheckpointKeys;
  #host: CheckpointsHost | null = null;
  #offered: Offered | null = null;
  /** The newest one: the receiver works on one at a time. */
  #prepared: PreparedStore | null = null;
  #backups = 0;

  private constructor(
    parts: CheckpointsParts,
    sender: CheckpointSender,
    receiver: CheckpointReceiver,
  ) {
    this.#parts = parts;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#keys = new CheckpointKeys(parts);
  }

  /** Removes what an earlier process left half sent. @throws {DiskError} */
  static async open(parts: CheckpointsParts): Promise<Checkpoints> {
    const { disk, dir, clock, log, bytesPerSecond } = parts;
    await disk.makeDir(dir);
    await disk.syncDir(parentOf(dir));
    let checkpoints: Checkpoints | null = null;
    // They call back only after `attach`, when the node has started.
    const self = (): Checkpoints => present(checkpoints, "an opened service");
    const onFatal = (error: unknown) => self().#hosted.onFatal(error);
    const sender = await CheckpointSender.open({
      ...{ disk, dir, clock, log, onFatal },
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      maker: { make: (path) => self().#make(path, { flush: false }) },
      openStream: (peer) => self().#hosted.openStream(peer),
      firstIndex: () => self().#hosted.firstIndex(),
      lastIndex: () => self().#hosted.lastIndex(),
      matchOf: (peer) => self().#hosted.matchOf(peer),
    });
    const receiver = await CheckpointReceiver.open({
      ...{ disk, dir, clock, log, onFatal },
      installer: { prepare: (path) => self().#prepare(path) },
      isLeader: (peer) => self().#hosted.isLeader(peer),
      // Asked for what an earlier process received, too: before `attach`.
      commit: () => {
        const host = checkpoints === null ? null : checkpoints.#host;
        return host?.committed() ?? parts.store.state.applied.index;
      },
      freeBytes: () => Promise.resolve(null),
      onPrepared: (prepared) => self().#onPrepared(prepared),
    });
    checkpoints = new Checkpoints(parts, sender, receiver);
    return checkpoints;
  }

  attach(host: CheckpointsHost): void {
    this.#host = host;
  }

  /** Brings `to` a checkpoint of `index` or later, and tells the core how it went. */
  send(to: RaftId, index: LogIndex): void {
    const { report, onFatal } = this.#hosted;
    this.#sender.send(to, index).then(
      (outcome) => report(to, outcome === "failed"),
      onFatal,
    );
  }

  onStream(from: RaftId, stream: PeerStream): void {
    void this.#receiver.onStream(from, stream);
  }

  /** Makes what was offered at `metadata` the store. For the applier's rest. */
  async install(metadata: SnapshotMetadata): Promise<void> {
    const { store, place, openKv, log } = this.#parts;
    const offered = this.#offered;
    assert(
      offered?.prepared.metadata.index === metadata.index,
      "the core installs what it was offered",
    );
    const { path } = offered.prepared;
    await place.switchTo(path, metadata.index);
    const next = Store.open({ kv: openKv(path), log, ...this.#recordKeys });
    await store.replaceWith(next);
    await place.removeOthers();
    this.#offered = null;
    offered.settle("installed");
  }

  leadershipChanged(): void {
    if (!this.#hosted.leads()) this.#sender.stepDown();
  }

  retainFrom(): LogIndex | null {
    return this.#sender.retainFrom();
  }

  drop(bytes: number): void {
    this.#sender.drop(bytes);
  }

  transfers(): readonly TransferStatus[] {
    return this.#sender.transfers();
  }

  /** `null` when no checkpoint is on its way to this member. */
  progress(): { readonly received: number; readonly total: number } | null {
    return this.#receiver.progress();
  }

  /** Call when nothing is installed any more. */
  async stop(): Promise<void> {
    this.#keys.stop();
    this.#offered?.settle("not-needed");
    this.#offered = null;
    await this.#sender.close();
    await this.#receiver.close();
  }

  /** The applied state as a stream, read from a file made for it. */
  async *backup(): AsyncGenerator<Bytes> {
    const { disk, dir } = this.#parts;
    this.#backups += 1;
    const path = `${dir}/outgoing-backup-${this.#backups}`;
    try {
      // All that was answered, also what the store has yet to make durable.
      await this.#make(path, { flush: true });
      const file = await disk.open(path, "existing");
      try {
        const size = await file.size();
        for (let at = 0; at < size;) {
          const bytes = await file.readAt(at, BACKUP_PIECE_BYTES);
          at += bytes.length;
          yield bytes;
        }
      } finally {
        await file.close();
      }
    } finally {
      await disk.remove(path);
    }
  }

  get #hosted(): CheckpointsHost {
    return present(this.#host, "an attached node");
  }

  get #recordKeys(): { readonly keys?: RecordKeys } {
    const { recordKeys } = this.#parts;
    return recordKeys === null ? {} : { keys: recordKeys };
  }

  async #make(
    path: string,
    { flush }: { readonly flush: boolean },
  ): Promise<CheckpointFile> {
    const { store, disk, random, clock, bytesPerSecond } = this.#parts;
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
      { random },
    );
    return { ...applied, confState, path, bytes, digest };
  }

  async #prepare(path: string): Promise<Prepared> {
    const { disk, place, openKv } = this.#parts;
    const file = await disk.open(path, "existing");
    try {
      const { state } = await verifyCheckpoint(file);
      const { applied, confState } = state;
      const own = await this.#takeOverKeys(state);
      const target = await place.prepare(applied.index);
      const kv = await openKv(target);
      try {
        const source = await readCheckpoint(file);
        await buildStore(kv, source, { ...own, ...this.#recordKeys });
      } catch (error) {
        kv.close();
        await place.removeOthers();
        throw error;
      }
      kv.close();
      this.#prepared = {
        metadata: { ...applied, confState },
        path: target,
        discard: () => place.removeOthers(),
      };
      return this.#prepared;
    } finally {
      await file.close();
    }
  }

  /** A member that cannot open the keys must not go on without them. */
  async #takeOverKeys(state: CheckpointState): Promise<OwnRows> {
    try {
      return await this.#keys.takeOver(state);
    } catch (error) {
      if (error instanceof EncryptionHaltedError) this.#hosted.onFatal(error);
      throw error;
    }
  }

  async #onPrepared(prepared: Prepared): Promise<InstallOutcome> {
    const own = this.#prepared;
    assert(own !== null && own === prepared, "what was prepared comes back");
    this.#prepared = null;
    if (this.#offered !== null) return "not-needed";
    const { promise, resolve } = Promise.withResolvers<InstallOutcome>();
    this.#offered = { prepared: own, settle: resolve };
    if (this.#hosted.offer(own.metadata)) return await promise;
    this.#offered = null;
    return "not-needed";
  }
}

const BACKUP_PIECE_BYTES = 65_536;
