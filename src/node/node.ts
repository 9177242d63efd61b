import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import type { DiskLock } from "../io/disk.ts";
import type { EventLog } from "../io/log.ts";
import type { Random } from "../io/random.ts";
import {
  type AtomicWrite,
  type DatabaseNumber,
  DEFAULT_DATABASE,
  type RecordKey,
  type WriteReply,
} from "../fsm/types.ts";
import { encodeClusterInit } from "../fsm/payload.ts";
import type { Core } from "../raft/core.ts";
import type { LogIndex } from "../raft/types.ts";
import type { BufferedStore } from "../store/buffered_store.ts";
import type { Wal } from "../wal/wal.ts";
import { type AppliedGroup, Applier } from "./applier.ts";
import { Compaction, type CompactionOptions } from "./compaction.ts";
import { Driver } from "./driver.ts";
import { NotReadyError, OutcomeUnknownError } from "./errors.ts";
import { Expiry } from "./expiry.ts";
import { DRAIN_MS_MAX } from "./limits.ts";
import type { NodePort, NodeStatus, ReadEntry, ReadRequest } from "./port.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { Watchers } from "./watchers.ts";

const CLUSTER_ID_BYTES = 16;

/** An opened data dir and the world around it. */
export interface NodeParts {
  readonly core: Core;
  readonly wal: Wal;
  readonly store: BufferedStore;
  /** Held until the node has closed. */
  readonly lock: DiskLock;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
}

export interface NodeOptions extends CompactionOptions {
  readonly name: string;
  /** Committed with the cluster id at the first election. */
  readonly clusterName: string;
  readonly heartbeatMs: number;
  /** The node has stopped for good and the process should end. */
  readonly onFatal: (error: Error) => void;
}

/** Counts since the node was opened. */
export interface NodeCounters {
  readonly wal: Wal["counters"];
  readonly store: BufferedStore["counters"];
}

/**
 * One member: raft core, log, state machine and store, run as one.
 *
 * A write: queue → proposal → log (durable) → committed → applied, visible →
 * answer; the store makes it durable behind. A strong read: read index →
 * applied that far → store.
 */
export class Node implements NodePort {
  readonly #parts: NodeParts;
  readonly #options: NodeOptions;
  readonly #proposals: Proposals;
  readonly #reads = new Reads();
  readonly #watchers = new Watchers();
  readonly #applier: Applier;
  readonly #driver: Driver;
  readonly #expiry: Expiry;
  readonly #compaction: Compaction;
  readonly #stopListeners = new Set<() => void>();
  readonly #readyWaiters = new Set<() => void>();
  /** What it held when it began to lead: applied before it serves. */
  #leadsFrom: LogIndex = 0;
  #stopped: Error | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: NodeParts, options: NodeOptions) {
    this.#parts = parts;
    this.#options = options;
    // 2^52 ids, drawn per start: a replayed entry never answers a new caller.
    this.#proposals = new Proposals(parts.random.below(2 ** 31) * 2 ** 21 + 1);
    this.#compaction = new Compaction(parts.wal, options);
    this.#applier = new Applier(parts.store, {
      clusterIdKnown: (id) => parts.wal.setClusterId(id),
      applied: (group) => this.#onApplied(group),
      halted: (error) => this.#fail(error),
    });
    this.#driver = new Driver({
      ...parts,
      applier: this.#applier,
      proposals: this.#proposals,
      reads: this.#reads,
      heartbeatMs: options.heartbeatMs,
      send: (messages) => assert(messages.length === 0, "there are no peers"),
      clusterInit: () => this.#clusterInit(),
      applied: () => parts.store.state.applied.index,
      onRole: () => this.#onRole(),
      onFatal: (error) => this.#fail(error),
    });
    this.#expiry = new Expiry(parts.clock, parts.store, {
      proposeClock: (wallMs) => this.#driver.proposeClock(wallMs),
      expired: (keys) => this.#notify(keys),
      halted: (error) => this.#fail(error),
    });
  }

  /** A lone voter leads at once; others wait for a leader or a timeout. */
  start(): void {
    const { core } = this.#parts;
    const { id, confState } = core.status();
    const isLone = confState.voters.length === 1 && confState.voters[0] === id;
    if (isLone && confState.votersOutgoing.length === 0) core.campaign();
    this.#driver.start();
  }

  /** Resolves once the node can serve its clients. */
  async ready(): Promise<void> {
    while (!this.#isReady()) {
      if (this.#stopped !== null) throw this.#stopped;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#readyWaiters.add(resolve);
      await promise;
    }
  }

  clusterId(): Bytes | null {
    return this.#parts.store.state.fsm.clusterId;
  }

  write(write: AtomicWrite): Promise<WriteReply> {
    this.#mustServe();
    const reply = this.#proposals.add(write);
    this.#driver.wake();
    return reply;
  }

  async read(
    request: ReadRequest,
  ): Promise<readonly (readonly ReadEntry[])[]> {
    this.#mustServe();
    if (request.strong) {
      const confirmed = this.#reads.wait();
      this.#driver.wake();
      await confirmed;
    }
    const { store } = this.#parts;
    const number = databaseNumber(store, request.database);
    return store.readRanges(number, request.ranges, store.state.fsm.clockMs);
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
    const { store, core } = this.#parts;
    const { name } = this.#options;
    const { id, role, term, lead, committed: commit } = core.status();
    const { applied, fsm } = store.state;
    const ready = this.#isReady();
    return {
      cluster: fsm.clusterName,
      clusterId: fsm.clusterId,
      node: name,
      leader: lead === id ? name : "",
      term,
      commit,
      applied: applied.index,
      phase: 0,
      ready,
      members: [{
        name,
        role: role === "pre-candidate" ? "candidate" : role,
        up: this.#stopped === null,
        ready,
        lag: commit - applied.index,
        applied: applied.index,
        phase: 0,
        id,
        isVoter: true,
        replication: "unknown",
        peerAddress: "",
        clientAddress: "",
        adminAddress: "",
        hasStarted: true,
      }],
    };
  }

  counters(): NodeCounters {
    const { wal, store } = this.#parts;
    return { wal: wal.counters, store: store.counters };
  }

  /**
   * Stops: ends watches, lets accepted writes end, closes log and store.
   *
   * Writes that are still open after DRAIN_MS_MAX fail as unknown.
   */
  stop(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    if (this.#stopped === null) {
      this.#endWatches();
      await this.#drained();
      this.#fail(new NotReadyError("the node is stopping"), { fatal: false });
    }
    await this.#close();
  }

  async #drained(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(DRAIN_MS_MAX, late.resolve);
    await Promise.race([this.#proposals.idle(), late.promise]);
    timer.cancel();
  }

  async #close(): Promise<void> {
    const { wal, store, lock } = this.#parts;
    await this.#applier.stop();
    await this.#expiry.stop();
    await this.#compaction.settled();
    try {
      await wal.close();
    } finally {
      await store.close();
      await lock.release();
    }
  }

  #isReady(): boolean {
    const { store } = this.#parts;
    return this.#stopped === null && store.state.fsm.clusterId !== null &&
      this.#driver.role === "leader" &&
      store.state.applied.index >= this.#leadsFrom;
  }

  #mustServe(): void {
    if (this.#stopped !== null) throw new NotReadyError("the node is stopping");
    if (!this.#isReady()) throw new NotReadyError("no leader is known");
  }

  #clusterInit(): Bytes | null {
    const { random, store } = this.#parts;
    if (store.state.fsm.clusterId !== null) return null;
    const id = random.bytes(CLUSTER_ID_BYTES);
    // Version 4, variant 1: the id is shown as a UUID (RFC 9562 §5.4).
    id[6] = (id[6] as number) & 0x0f | 0x40;
    id[8] = (id[8] as number) & 0x3f | 0x80;
    return encodeClusterInit(id, this.#options.clusterName, []);
  }

  #onApplied(group: AppliedGroup): void {
    const { core, wal, store } = this.#parts;
    if (group.seq !== null) core.applied(group.seq);
    for (const [id, replies] of group.replies) {
      this.#proposals.resolve(id, replies);
    }
    this.#reads.appliedTo(group.index);
    this.#notify(group.mutations);
    wal.release(group.index);
    this.#compaction.consider(store.durable, (error) => this.#fail(error));
    this.#expiry.wake();
    this.#wakeReadyWaiters();
    this.#driver.wake();
  }

  #onRole(): void {
    const { role } = this.#driver;
    this.#parts.log.write("info", "role_changed", { role });
    this.#wakeReadyWaiters();
    if (role === "leader") {
      this.#leadsFrom = this.#parts.core.status().lastIndex;
    } else {
      this.#reads.restart();
      this.#endWatches();
    }
  }

  #notify(changed: readonly RecordKey[]): void {
    if (this.#watchers.size === 0) return;
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
    this.#driver.stop();
    const notReady = new NotReadyError("the node is stopping");
    this.#proposals.failAll(notReady, new OutcomeUnknownError());
    this.#reads.failAll(notReady);
    this.#endWatches();
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
