import type { Bytes } from "../base/bytes.ts";
import type {
  AtomicWrite,
  DatabaseNumber,
  RecordKey,
  WriteReply,
} from "../fsm/types.ts";
import { DEFAULT_DATABASE } from "../fsm/types.ts";
import { NO_MEMBER } from "../raft/types.ts";
import type { BufferedStore } from "../store/buffered_store.ts";
import type {
  PeerLinkStatus,
  Transport,
  TransportCounters,
  TransportHost,
} from "../transport/port.ts";
import type { Wal } from "../wal/wal.ts";
import type { EncryptionMetrics } from "./encryption/operations.ts";
import type { EncryptionPort } from "./encryption_port.ts";
import { clusterView } from "./cluster_view.ts";
import { Engine } from "./engine.ts";
import type { NodeParts } from "./engine_parts.ts";
import { NotReadyError } from "./errors.ts";
import type { RaftCounters } from "./leadership_count.ts";
import { BACKUP_WAIT_MS, DRAIN_MS_MAX } from "./limits.ts";
import type { Addresses, Beginnings, NodeOptions } from "./node_options.ts";
import type {
  ChangeResult,
  ChangeTerms,
  MemberRequest,
  NodePort,
  NodeStatus,
  OperatorPort,
  ReadEntry,
  ReadRequest,
} from "./port.ts";
import { StatusWatchers } from "./status_watchers.ts";
import { Watchers } from "./watchers.ts";

/** Counts since the node was opened. */
export interface NodeCounters {
  readonly wal: Wal["counters"];
  readonly store: BufferedStore["counters"];
  readonly raft: RaftCounters;
  readonly transport: {
    readonly links: readonly PeerLinkStatus[];
    readonly counters: TransportCounters;
  };
}

/**
 * One member as clients and operators see it.
 *
 * A write: queue → proposal, here or at the leader → log (durable) → committed
 * → applied, visible → answer; the store makes it durable behind. A strong
 * read: read index → applied that far → store. Any member serves both.
 */
export class Node implements NodePort, OperatorPort {
  readonly #parts: NodeParts;
  readonly #options: NodeOptions;
  readonly #engine: Engine;
  readonly #watchers = new Watchers();
  readonly #statusWatchers: StatusWatchers;
  readonly #stopListeners = new Set<() => void>();
  readonly #readyWaiters = new Set<() => void>();
  /** Holds all that was acknowledged when it started. */
  #isCaughtUp = false;
  /** It has served clients since it started. */
  #hasServed = false;
  #stopped: Error | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: NodeParts, options: NodeOptions, beginnings: Beginnings) {
    this.#parts = parts;
    this.#options = options;
    this.#statusWatchers = new StatusWatchers(parts.clock);
    this.#engine = new Engine(parts, options, beginnings, {
      changed: (keys) => this.#notify(keys),
      progressed: () => {
        this.#wakeReadyWaiters();
        this.#statusWatchers.notify();
      },
      isReady: () => this.#isReady(),
      isCaughtUp: () => this.#isCaughtUp,
      isStopped: () => this.#stopped !== null,
      failed: (error) => this.#fail(error),
    });
  }

  /** Opens the links to the other members; `address` is what they dial. */
  async connect(
    open: (host: TransportHost) => Promise<Transport>,
    address: string | null,
  ): Promise<void> {
    const { peers } = this.#engine;
    const transport = await open(peers);
    const { hostname, port } = transport.address;
    peers.attach(transport, address ?? `${hostname}:${port}`);
  }

  /** Begins to take part; `ready` tells when it serves. */
  start(): void {
    this.#engine.start();
    void this.#catchUp();
  }

  /** Where the peer listener is bound; `null` without one. */
  get peerAddress(): Transport["address"] | null {
    return this.#engine.peers.transport?.address ?? null;
  }

  /** What the cluster is to tell clients and operators to dial. */
  setAddresses(addresses: Addresses): void {
    this.#engine.addresses = addresses;
    this.#engine.driver.wake();
  }

  /** Resolves once the node can serve its clients. */
  async ready(): Promise<void> {
    while (!this.#isReady()) {
      if (this.#stopped !== null) throw this.#stopped;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#readyWaiters.add(resolve);
      await promise;
    }
    this.#hasServed = true;
  }

  clusterId(): Bytes | null {
    return this.#parts.store.state.fsm.clusterId;
  }

  write(write: AtomicWrite): Promise<WriteReply> {
    this.#mustServe();
    const { proposals, driver } = this.#engine;
    const reply = proposals.add(write, this.#parts.clock.monotonicMs());
    driver.wake();
    return reply;
  }

  async read(
    request: ReadRequest,
  ): Promise<readonly (readonly ReadEntry[])[]> {
    this.#mustServe();
    if (!request.strong) {
      if (!this.#isCaughtUp) throw new NotReadyError("this member is behind");
      return await this.#readStore(request);
    }
    const { clock } = this.#parts;
    const { reads, driver, lease } = this.#engine;
    for (;;) {
      const isLeased = lease?.isValid(clock.monotonicMs()) === true;
      const confirmed = reads.wait(clock.monotonicMs());
      driver.wake();
      await confirmed;
      const entries = await this.#readStore(request);
      // Whatever stopped this process meanwhile: the state was the newest then.
      if (!isLeased || lease?.isValid(clock.monotonicMs())) return entries;
    }
  }

  watch(
    database: string,
    keys: readonly Uint8Array[],
    onChange: () => void,
  ): { cancel(): void } {
    return this.#watchers.add(database, keys, onChange);
  }

  onStop(onStop: () => void): { cancel(): void } {
    this.#stopListeners.add(onStop);
    return { cancel: () => this.#stopListeners.delete(onStop) };
  }

  status(): NodeStatus {
    return clusterView({
      core: this.#parts.core,
      peers: this.#engine.peers,
      name: this.#options.name,
      state: this.#parts.store.state,
      isReady: this.#isReady(),
      isStopped: this.#stopped !== null,
    });
  }

  watchStatus(onChange: () => void): { cancel(): void } {
    return this.#statusWatchers.add(onChange);
  }

  async changeMembers(
    request: MemberRequest,
    terms: ChangeTerms,
  ): Promise<ChangeResult> {
    if (this.#stopped !== null) throw new NotReadyError("the node is stopping");
    return await this.#engine.changes.change(request, terms);
  }

  /** What operators do about encryption. */
  get encryption(): EncryptionPort {
    return this.#engine.operations;
  }

  /** File of the store in use; another one after a checkpoint or a scrub. */
  get storePath(): string {
    return this.#parts.place.path;
  }

  encryptionMetrics(): EncryptionMetrics {
    return this.#engine.operations.metrics();
  }

  async *backup(): AsyncGenerator<Bytes> {
    // A member may be behind, and not know it: all that was answered is in.
    await this.#isNewest();
    yield* this.#parts.checkpoints.backup();
  }

  /** @throws {NotReadyError} No majority says so in time. */
  async #isNewest(): Promise<void> {
    const newest = this.read({ database: "", ranges: [], strong: true });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = this.#parts.clock.after(
      BACKUP_WAIT_MS,
      () => reject(new NotReadyError("no majority says what is newest")),
    );
    try {
      await Promise.race([newest, late]);
    } finally {
      timer.cancel();
    }
  }

  counters(): NodeCounters {
    const { wal, store } = this.#parts;
    const { raftCounters: raft, peers } = this.#engine;
    return {
      wal: wal.counters,
      store: store.counters,
      raft,
      transport: peers.traffic(),
    };
  }

  /** Lets another member lead; for a node that is about to stop. */
  async handOver(): Promise<void> {
    if (this.#stopped === null) await this.#engine.changes.handOver();
  }

  /**
   * Stops: hands the leadership over, ends watches, lets accepted writes end,
   * closes links, log and store.
   *
   * Writes that are still open after DRAIN_MS_MAX fail as unknown.
   */
  stop(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    if (this.#stopped === null) {
      await this.handOver();
      this.#endWatches();
      await this.#drained();
      this.#fail(new NotReadyError("the node is stopping"), { fatal: false });
    }
    await this.#engine.close();
  }

  async #drained(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(DRAIN_MS_MAX, late.resolve);
    await Promise.race([this.#engine.proposals.idle(), late.promise]);
    timer.cancel();
  }

  /** A first strong read, of nothing: then this member is as new as any was. */
  async #catchUp(): Promise<void> {
    const { clock } = this.#parts;
    while (this.#stopped === null && !this.#isCaughtUp) {
      try {
        await this.#engine.reads.wait(clock.monotonicMs());
        this.#isCaughtUp = true;
      } catch (error) {
        if (!(error instanceof NotReadyError)) return this.#fail(error);
      }
    }
    this.#engine.encryption.progressed();
    this.#wakeReadyWaiters();
  }

  #isReady(): boolean {
    return this.#stopped === null && this.clusterId() !== null &&
      this.#isCaughtUp && this.#engine.encryption.isReady &&
      (this.#hasServed || !this.#engine.operations.isRotationAwaited) &&
      // Of the same moment as the leader that a status names.
      this.#parts.core.state.lead !== NO_MEMBER;
  }

  #mustServe(): void {
    if (this.#stopped !== null) throw new NotReadyError("the node is stopping");
    if (this.clusterId() === null) {
      throw new NotReadyError("the cluster is not founded yet");
    }
  }

  #readStore(
    { database, ranges }: ReadRequest,
  ): Promise<readonly (readonly ReadEntry[])[]> {
    const { store } = this.#parts;
    const number = databaseNumber(store, database);
    return store.readRanges(number, ranges, store.state.fsm.clockMs);
  }

  #notify(changed: readonly RecordKey[] | null): void {
    if (this.#watchers.size === 0) return;
    if (changed === null) return this.#watchers.notifyAll();
    const { databases } = this.#parts.store.state.fsm;
    this.#watchers.notify(changed, databases);
  }

  #endWatches(): void {
    for (const onStop of [...this.#stopListeners]) onStop();
  }

  #wakeReadyWaiters(): void {
    for (const resolve of this.#readyWaiters) resolve();
    this.#readyWaiters.clear();
  }

  #fail(cause: unknown, { fatal } = { fatal: true }): void {
    if (this.#stopped !== null) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#stopped = error;
    const { proposals, reads, changes } = this.#engine;
    this.#engine.stop();
    const notReady = new NotReadyError("the node is stopping");
    proposals.failAll(notReady);
    reads.failAll(notReady);
    changes.progressed();
    this.#endWatches();
    this.#statusWatchers.stop();
    this.#wakeReadyWaiters();
    if (fatal) this.#options.onFatal(error);
  }
}

function databaseNumber(
  store: BufferedStore,
  name: string,
): DatabaseNumber | null {
  if (name === "") return DEFAULT_DATABASE;
  return store.state.fsm.databases.get(name) ?? null;
}
