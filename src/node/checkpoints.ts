import { assert, present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { NO_KEY } from "../base/data_key.ts";
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
import {
  type CheckpointFile,
  openHeader,
} from "../store/checkpoint/chunk_reader.ts";
import { streamKeyId } from "../store/checkpoint/header.ts";
import {
  readCheckpoint,
  type ReadCheckpointOptions,
  verifyCheckpoint,
} from "../store/checkpoint/read.ts";
import type { CheckpointState } from "../store/meta.ts";
import type { RecordKeys } from "../store/record_keys.ts";
import { Store } from "../store/store.ts";
import type { PeerStream } from "../transport/port.ts";
import { CheckpointUnsealedError } from "./checkpoint/errors.ts";
import { StoreMaker } from "./checkpoint/maker.ts";
import type {
  InstallOutcome,
  LogHold,
  Prepared,
  TransferStatus,
} from "./checkpoint/port.ts";
import { CheckpointReceiver } from "./checkpoint/receiver.ts";
import { CheckpointSender } from "./checkpoint/sender.ts";
import { CheckpointKeys, type OwnRows } from "./encryption/checkpoint_keys.ts";
import { EncryptionHaltedError } from "./encryption/errors.ts";
import { heldStreamKeys } from "./encryption/stream_keys.ts";
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
  readonly isSealed: boolean;
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
  readonly #maker: StoreMaker;
  /** Of files that may be sent. */
  #floor: LogIndex = 0;

  private constructor(
    parts: CheckpointsParts,
    sender: CheckpointSender,
    receiver: CheckpointReceiver,
  ) {
    this.#parts = parts;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#keys = new CheckpointKeys(parts);
    this.#maker = new StoreMaker({
      ...parts,
      keys: heldStreamKeys(parts.custody),
    });
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
      maker: { make: (path) => self().#maker.make(path, { flush: false }) },
      openStream: (peer) => self().#hosted.openStream(peer),
      firstIndex: () => self().#hosted.firstIndex(),
      floor: () => Math.max(self().#floor, self().#storageCutover()),
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
    const { store, place } = this.#parts;
    const offered = this.#offered;
    assert(
      offered?.prepared.metadata.index === metadata.index,
      "the core installs what it was offered",
    );
    const { path, isSealed } = offered.prepared;
    this.#mustBeSealed(isSealed, metadata.index);
    await place.switchTo(path, metadata.index);
    await store.replaceWith(this.openStore(path));
    await place.removeOthers();
    this.#offered = null;
    offered.settle("installed");
  }

  /** Opens a store that was built at `path`, with the keys of the one in use. */
  openStore(path: string): Promise<Store> {
    const { openKv, log } = this.#parts;
    return Store.open({ kv: openKv(path), log, ...this.#recordKeys });
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

  /** The applied state as a stream, sealed from the storage cutover on. */
  backup(): AsyncGenerator<Bytes> {
    return this.#maker.backup();
  }

  /**
   * Removes all files of an index below `index`, durably, and makes and keeps no
   * more of them; what is on its way goes on with a newer one.
   */
  async removeBelow(index: LogIndex): Promise<void> {
    this.#floor = Math.max(this.#floor, index);
    await this.#sender.removeBelow(index);
    await this.#receiver.removeBelow(index);
    await this.#maker.removeBelow(index);
    // Of files that went before, too: a crash would bring their names back.
    const { disk, dir } = this.#parts;
    await disk.syncDir(dir);
  }

  get #hosted(): CheckpointsHost {
    return present(this.#host, "an attached node");
  }

  get #recordKeys(): { readonly keys?: RecordKeys } {
    const { recordKeys } = this.#parts;
    return recordKeys === null ? {} : { keys: recordKeys };
  }

  /** By the store, or by the sidecar if that is ahead; 0 for not yet. */
  #storageCutover(): LogIndex {
    const { store, custody } = this.#parts;
    const { storageCutoverIndex } = store.state.fsm.encryption;
    return Math.max(storageCutoverIndex, custody.storageCutoverIndex);
  }

  /** @throws {CheckpointUnsealedError} */
  #mustBeSealed(isSealed: boolean, index: LogIndex): void {
    const cutover = this.#storageCutover();
    if (isSealed || cutover === 0) return;
    throw new CheckpointUnsealedError(index, cutover);
  }

  async #prepare(path: string): Promise<Prepared> {
    const { disk, place, openKv } = this.#parts;
    const file = await disk.open(path, "existing");
    try {
      const keys = await this.#streamKeys(file);
      const { state } = await verifyCheckpoint(file, keys);
      const { applied, confState } = state;
      const own = await this.#takeOverKeys(state);
      const target = await place.prepare(applied.index);
      const kv = await openKv(target);
      try {
        const source = await readCheckpoint(file, keys);
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
        isSealed: keys.keys !== undefined,
        discard: () => place.removeOthers(),
      };
      return this.#prepared;
    } finally {
      await file.close();
    }
  }

  /** None for a stream in cleartext, which only some may install. */
  async #streamKeys(file: CheckpointFile): Promise<ReadCheckpointOptions> {
    const { header: { state } } = await openHeader(file);
    const isSealed = streamKeyId(state) !== NO_KEY;
    this.#mustBeSealed(isSealed, state.applied.index);
    if (!isSealed) return {};
    return { keys: await this.#orHalt(() => this.#keys.openStream(state)) };
  }

  #takeOverKeys(state: CheckpointState): Promise<OwnRows> {
    return this.#orHalt(() => this.#keys.takeOver(state));
  }

  /** A member that cannot open the keys must not go on without them. */
  async #orHalt<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
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
