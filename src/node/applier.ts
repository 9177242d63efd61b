import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type {
  FsmState,
  Mutation,
  RecordKey,
  WriteReply,
} from "../fsm/types.ts";
import { applyPayload, keysToRead } from "../fsm/apply.ts";
import { decodePayload, type Payload } from "../fsm/payload.ts";
import { decodeProposal } from "../fsm/proposal.ts";
import { confStateAfter } from "../raft/conf_switch.ts";
import { type Entry, ENTRY_NORMAL, type LogIndex } from "../raft/types.ts";
import type { StoreState } from "../store/meta.ts";
import type { Store } from "../store/store.ts";
import { ApplyHaltedError } from "./errors.ts";
import { GroupView } from "./group_view.ts";
import { APPLY_BACKLOG_MAX } from "./limits.ts";
import { fitsGroup, sizeOfWrite, type WriteSize } from "./proposals.ts";
import { UnstoredRecords } from "./unstored_records.ts";

/** Committed entries; `seq` is what the core wants acknowledged. */
export interface ApplyJob {
  readonly seq: number;
  readonly entries: readonly Entry[];
}

/** What the applier needs of its node. */
export interface ApplierHost {
  /** Makes a new cluster id durable before the applied index passes it. */
  clusterIdKnown(clusterId: Bytes): Promise<void>;
  /** Evaluated: proposal `id` has its answer, which nothing can change. */
  answered(id: number, replies: readonly WriteReply[]): void;
  /** The store has everything up to `index`, durably. */
  stored(group: StoredGroup): void;
  /** The node must stop: the next entry cannot be applied. */
  halted(error: Error): void;
}

/** One commit of the store. */
export interface StoredGroup {
  readonly index: LogIndex;
  /** Highest job whose entries are all applied; `null` for none. */
  readonly seq: number | null;
  readonly mutations: readonly Mutation[];
}

interface QueuedEntry {
  readonly entry: Entry;
  /** Set on the last entry of its job. */
  readonly seq: number | null;
}

interface DecodedEntry extends QueuedEntry {
  readonly proposalId: number;
  readonly payload: Payload | null;
}

/**
 * Applies committed entries in order, exactly once, several per commit of the
 * store: decode, read what they check or add to, evaluate, answer, store.
 *
 * A caller has its answer when its entry is evaluated: the entry is durable in
 * the log by then, and the store follows within APPLY_BACKLOG_MAX changes.
 * What the store lacks after a crash is applied again from the log.
 *
 * An entry that cannot be decoded halts before it; nothing is ever skipped.
 */
export class Applier {
  readonly #store: Store;
  readonly #host: ApplierHost;
  readonly #unstored = new UnstoredRecords();
  /** After the last evaluated entry; the store's own state follows. */
  #state: StoreState;
  #queue: QueuedEntry[] = [];
  #backlog = 0;
  #storedWaiter: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(store: Store, host: ApplierHost) {
    this.#store = store;
    this.#state = store.state;
    this.#host = host;
  }

  enqueue(job: ApplyJob): void {
    job.entries.forEach((entry, i) => {
      const last = i === job.entries.length - 1;
      this.#queue.push({ entry, seq: last ? job.seq : null });
    });
    this.#running ??= this.#run();
  }

  /** Lets what was evaluated reach the store, and evaluates nothing new. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#storedWaiter?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#stopped) {
        await this.#applyGroup(this.#takeGroup());
        while (this.#backlog > APPLY_BACKLOG_MAX && !this.#stopped) {
          await this.#nextStored();
        }
      }
    } catch (error) {
      this.#halt(error);
    } finally {
      this.#running = null;
    }
  }

  async #applyGroup(group: readonly DecodedEntry[]): Promise<void> {
    const prior = this.#state;
    const view = await this.#prefetch(group, prior.fsm);
    const mutations: Mutation[] = [];
    let { fsm, confState, applied } = prior;
    let seq: number | null = null;
    for (const { entry, proposalId, payload, seq: ended } of group) {
      assert(entry.index === applied.index + 1, "entries apply in order");
      applied = { index: entry.index, term: entry.term };
      seq = ended ?? seq;
      if (entry.type !== ENTRY_NORMAL) {
        confState = confStateAfter(confState, entry);
      } else if (payload !== null) {
        const result = applyPayload(fsm, view, entry.index, payload);
        fsm = result.state;
        view.put(result.mutations);
        for (const mutation of result.mutations) mutations.push(mutation);
        this.#host.answered(proposalId, result.replies);
      }
    }
    if (prior.fsm.clusterId === null && fsm.clusterId !== null) {
      await this.#host.clusterIdKnown(fsm.clusterId);
    }
    this.#state = { applied, confState, fsm };
    this.#keep({ index: applied.index, seq, mutations });
  }

  /** Hands a group to the store without waiting for it. */
  #keep(group: StoredGroup): void {
    const { index, mutations } = group;
    const size = Math.max(mutations.length, 1);
    this.#backlog += size;
    this.#unstored.add(index, mutations);
    this.#store.commit({ state: this.#state, mutations }).then(() => {
      this.#backlog -= size;
      this.#unstored.forget(index, mutations);
      this.#host.stored(group);
      this.#storedWaiter?.();
    }, (error) => this.#halt(error));
  }

  #nextStored(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#storedWaiter = resolve;
    return promise;
  }

  #halt(error: unknown): void {
    this.#stopped = true;
    this.#storedWaiter?.();
    this.#host.halted(asError(error));
  }

  /** What the store does not have yet is taken now, the rest is read. */
  async #prefetch(
    group: readonly DecodedEntry[],
    state: FsmState,
  ): Promise<GroupView> {
    const view = new GroupView();
    const missing: RecordKey[] = [];
    for (const { payload } of group) {
      if (payload === null) continue;
      for (const key of keysToRead(state, payload)) {
        const record = this.#unstored.find(key);
        if (record === undefined) missing.push(key);
        else view.set(key, record);
      }
    }
    if (missing.length === 0) return view;
    const records = await this.#store.readRecords(missing);
    missing.forEach((key, i) => view.set(key, records[i] ?? null));
    return view;
  }

  /** The longest prefix of the queue that fits one commit; at least one. */
  #takeGroup(): readonly DecodedEntry[] {
    const group: DecodedEntry[] = [];
    let size = NO_SIZE;
    for (const queued of this.#queue) {
      const decoded = decodeEntry(queued);
      size = addSize(size, decoded.payload);
      if (group.length > 0 && !fitsGroup(size)) break;
      group.push(decoded);
    }
    this.#queue = this.#queue.slice(group.length);
    return group;
  }
}

const NO_SIZE: WriteSize = { changes: 0, keyBytes: 0, bytes: 0 };

/** @throws {ApplyHaltedError} When this member does not know the entry. */
function decodeEntry(queued: QueuedEntry): DecodedEntry {
  const { entry } = queued;
  if (entry.type !== ENTRY_NORMAL || entry.data.length === 0) {
    return { ...queued, proposalId: 0, payload: null };
  }
  try {
    const { proposalId, payload } = decodeProposal(entry.data);
    return { ...queued, proposalId, payload: decodePayload(payload) };
  } catch (cause) {
    throw new ApplyHaltedError(entry.index, { cause });
  }
}

function addSize(size: WriteSize, payload: Payload | null): WriteSize {
  if (payload?.kind !== "batch") return size;
  let { changes, keyBytes, bytes } = size;
  for (const write of payload.writes) {
    const more = sizeOfWrite(write);
    changes += more.changes;
    keyBytes += more.keyBytes;
    bytes += more.bytes;
  }
  return { changes, keyBytes, bytes };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
