import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type {
  EncryptionChange,
  FsmState,
  Mutation,
  RecordKey,
  WriteReply,
} from "../fsm/types.ts";
import { applyPayload, keysToRead } from "../fsm/apply.ts";
import type { EncryptionRefusal } from "../fsm/encryption.ts";
import { decodeMemberContext, membersAfter } from "../fsm/members.ts";
import { decodePayload, type Payload } from "../fsm/payload.ts";
import { decodeProposal, type Proposal } from "../fsm/proposal.ts";
import { decodeConfChange } from "../raft/conf_change.ts";
import { confStateAfter } from "../raft/conf_switch.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type LogIndex,
  type RaftId,
  type Term,
} from "../raft/types.ts";
import type { BufferedStore } from "../store/buffered_store.ts";
import type { EncryptionActing } from "./encryption/acting.ts";
import { ApplyHaltedError } from "./errors.ts";
import { addSize, NO_SIZE } from "./group_size.ts";
import { GroupView } from "./group_view.ts";
import { fitsGroup } from "./proposals.ts";
import type { OpenAhead } from "./raft_sealing/open_ahead.ts";

/** Applies changes of encryption for the applier. */
export type ActingHalf = Pick<EncryptionActing, "apply" | "wake">;

/** Opens what entries above the raft cutover carry. */
export type OpeningHalf = Pick<OpenAhead, "begin" | "isSealed" | "open">;

/** Calls `halt` when nobody can tell any more which store is current. */
export type RestTask = (halt: () => void) => Promise<void>;

/** Committed entries; `seq` is what the core wants acknowledged. */
export interface ApplyJob {
  readonly seq: number;
  readonly entries: readonly Entry[];
}

/** What the applier needs of its node. */
export interface ApplierHost {
  /** Makes a new cluster id durable before the applied index passes it. */
  clusterIdKnown(clusterId: Bytes): Promise<void>;
  /** Readers see it from now on. */
  applied(group: AppliedGroup): void;
  /** Everything up to job `seq` is in a checkpoint that took the store's place. */
  skipped(seq: number): void;
  /** The node must stop: the next entry cannot be applied. */
  halted(error: Error): void;
}

/** What one group of entries did. */
export interface AppliedGroup {
  /** Of the last entry. */
  readonly index: LogIndex;
  readonly term: Term;
  /** Highest job whose entries are all applied; `null` for none. */
  readonly seq: number | null;
  /** By proposal id, in the order of its writes. */
  readonly replies: ReadonlyMap<number, readonly WriteReply[]>;
  readonly mutations: readonly Mutation[];
  /** Who belongs to the cluster, or how one is reached, is another now. */
  readonly isMembershipChanged: boolean;
  /**
   * Set when the group is one change of encryption, durable in the store, or of
   * the rollout.
   */
  readonly encryption: {
    readonly proposalId: number;
    readonly refusal: EncryptionRefusal | null;
  } | null;
}

interface Decoded {
  readonly proposalId: number;
  readonly payload: Payload | null;
}

interface QueuedEntry {
  readonly entry: Entry;
  /** Set on the last entry of its job. */
  readonly seq: number | null;
  /** Once only groups without a change of encryption are before it. */
  decoded: Decoded | null;
}

type DecodedEntry = QueuedEntry & Decoded;

const NOTHING: Decoded = { proposalId: 0, payload: null };

/**
 * Applies committed entries in order, exactly once, several per commit of the
 * store: decode, read what they check or add to, evaluate, commit, answer.
 *
 * The entries are durable in the log, so the store may make their effect
 * durable later: what it lacks after a crash is applied again.
 *
 * A change of encryption is a group of its own, which its acting half applies.
 * What is sealed is opened when all that changes encryption before it is
 * applied: by the state that says whether it is sealed, and with which keys.
 *
 * An entry that cannot be opened or decoded halts before it; nothing is ever
 * skipped.
 */
export class Applier {
  readonly #store: BufferedStore;
  readonly #host: ApplierHost;
  readonly #acting: ActingHalf;
  readonly #opening: OpeningHalf;
  #queue: QueuedEntry[] = [];
  #running: Promise<void> | null = null;
  #stopped = false;
  /** Under way and in line. */
  #rests = 0;
  #resting: Promise<void> = Promise.resolve();

  constructor(
    store: BufferedStore,
    host: ApplierHost,
    { acting, opening }: {
      readonly acting: ActingHalf;
      readonly opening: OpeningHalf;
    },
  ) {
    this.#store = store;
    this.#host = host;
    this.#acting = acting;
    this.#opening = opening;
  }

  enqueue(job: ApplyJob): void {
    job.entries.forEach((entry, i) => {
      const last = i === job.entries.length - 1;
      const seq = last ? job.seq : null;
      this.#queue.push({ entry, seq, decoded: null });
    });
    this.#begin();
  }

  /**
   * Lets what is being applied end, then runs `swap`, which puts a checkpoint
   * in the store's place; entries that wait are in it.
   */
  replaceStore(swap: () => Promise<void>): Promise<void> {
    return this.rest(async (halt) => {
      const seq = this.#queue.findLast((queued) => queued.seq !== null)?.seq;
      this.#queue = [];
      try {
        await swap();
      } catch (error) {
        // What waited may be lost.
        halt();
        throw error;
      }
      if (seq !== undefined && seq !== null) this.#host.skipped(seq);
    });
  }

  /**
   * Lets what is being applied end, then runs `task` while nothing is applied;
   * entries wait. One rest at a time. After `halt` nothing is applied any more.
   */
  async rest(task: RestTask): Promise<void> {
    const before = this.#resting;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resting = promise;
    this.#rests += 1;
    this.#acting.wake();
    await before;
    await this.#running;
    try {
      await task(() => void (this.#stopped = true));
    } finally {
      this.#rests -= 1;
      resolve();
      if (!this.#stopped) this.#begin();
    }
  }

  /** Lets what is being applied end, and starts nothing new. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#acting.wake();
    await this.#running;
  }

  #begin(): void {
    if (this.#rests > 0 || this.#queue.length === 0) return;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#isOver()) {
        const group = await this.#takeGroup();
        const [first] = group;
        if (first?.payload?.kind === "encryption") {
          await this.#applyEncryption(first, first.payload.change);
        } else await this.#applyGroup(group);
      }
    } catch (error) {
      this.#stopped = true;
      this.#host.halted(asError(error));
    } finally {
      this.#running = null;
    }
  }

  #isOver(): boolean {
    return this.#stopped || this.#rests > 0;
  }

  async #applyEncryption(
    { entry, proposalId, seq }: DecodedEntry,
    change: EncryptionChange,
  ): Promise<void> {
    const { applied } = this.#store.state;
    assert(entry.index === applied.index + 1, "entries apply in order");
    const done = await this.#acting.apply(entry, change, () => this.#isOver());
    if (done === null) {
      // As if it had not been taken: a checkpoint may have it.
      this.#queue.unshift({ entry, seq, decoded: null });
      return;
    }
    this.#host.applied({
      ...this.#store.state.applied,
      seq,
      replies: new Map(),
      mutations: [],
      isMembershipChanged: false,
      encryption: { proposalId, refusal: done.refusal },
    });
  }

  async #applyGroup(group: readonly DecodedEntry[]): Promise<void> {
    const prior = this.#store.state;
    const view = await this.#prefetch(group, prior.fsm);
    const replies = new Map<number, readonly WriteReply[]>();
    const mutations: Mutation[] = [];
    let { fsm, confState, applied } = prior;
    let seq: number | null = null;
    let encryption: AppliedGroup["encryption"] = null;
    for (const { entry, proposalId, payload, seq: ended } of group) {
      // Handed out before a checkpoint that holds it was installed.
      if (entry.index <= prior.applied.index) {
        seq = ended ?? seq;
        continue;
      }
      assert(entry.index === applied.index + 1, "entries apply in order");
      applied = { index: entry.index, term: entry.term };
      seq = ended ?? seq;
      if (entry.type !== ENTRY_NORMAL) {
        const after = confStateAfter(confState, entry);
        fsm = membersAfter(fsm, {
          before: idsOf(confState),
          after: idsOf(after),
          context: decodeConfChange(entry.type, entry.data).context,
        });
        confState = after;
      } else if (payload !== null) {
        const result = applyPayload(fsm, view, entry.index, payload);
        fsm = result.state;
        view.put(result.mutations);
        for (const mutation of result.mutations) mutations.push(mutation);
        replies.set(proposalId, result.replies);
        if (payload.kind === "rollout") {
          encryption = { proposalId, refusal: result.refusal };
        }
      }
    }
    if (prior.fsm.clusterId === null && fsm.clusterId !== null) {
      await this.#host.clusterIdKnown(fsm.clusterId);
    }
    if (applied !== prior.applied) {
      const state = { ...prior, applied, confState, fsm };
      await this.#store.commit({ state, mutations });
    }
    this.#host.applied({
      ...applied,
      seq,
      replies,
      mutations,
      isMembershipChanged: fsm.members !== prior.fsm.members ||
        confState !== prior.confState,
      encryption,
    });
  }

  async #prefetch(
    group: readonly DecodedEntry[],
    state: FsmState,
  ): Promise<GroupView> {
    const view = new GroupView();
    const keys: RecordKey[] = [];
    for (const { payload } of group) {
      if (payload !== null) keys.push(...keysToRead(state, payload));
    }
    if (keys.length === 0) return view;
    const records = await this.#store.readRecords(keys);
    keys.forEach((key, i) => view.set(key, records[i] ?? null));
    return view;
  }

  /**
   * The longest prefix of the queue that fits one commit, or one change of
   * encryption or the rollout; at least one.
   */
  async #takeGroup(): Promise<readonly DecodedEntry[]> {
    const group: DecodedEntry[] = [];
    let size = NO_SIZE;
    this.#openAhead();
    for (const queued of this.#queue) {
      try {
        queued.decoded ??= await this.#decode(queued.entry);
      } catch (error) {
        // First all before it.
        if (group.length === 0) throw error;
        break;
      }
      const { payload } = queued.decoded;
      const isAlone = payload?.kind === "encryption" ||
        payload?.kind === "rollout";
      size = addSize(size, payload);
      if (group.length > 0 && (isAlone || !fitsGroup(size))) break;
      group.push({ ...queued, ...queued.decoded });
      if (isAlone) break;
    }
    this.#queue = this.#queue.slice(group.length);
    return group;
  }

  #openAhead(): void {
    const { applied, fsm } = this.#store.state;
    const waiting = this.#queue.slice(0, OPEN_AHEAD_MAX)
      .map(({ entry }) => entry)
      .filter(({ index }) => index > applied.index);
    this.#opening.begin(fsm, waiting);
  }

  /**
   * @throws {RaftUnwrapFailedError}
   * @throws {ApplyHaltedError} When this member does not know the entry.
   */
  async #decode(entry: Entry): Promise<Decoded> {
    const { applied, fsm } = this.#store.state;
    // Handed out before a checkpoint that holds it was installed: it does
    // nothing, and its key may be gone since.
    if (entry.index <= applied.index) return NOTHING;
    const { index } = entry;
    const found = inEntry(index, () => proposalOf(entry));
    if (found === null) return NOTHING;
    const { proposalId, payload } = found;
    const opened = this.#opening.isSealed(fsm, entry, payload)
      ? await this.#opening.open(fsm, entry, payload)
      : payload;
    return inEntry(
      index,
      () => ({ proposalId, payload: decodePayload(opened) }),
    );
  }
}

/** Members in any role; some twice while two sets of voters decide. */
function idsOf(conf: ConfState): readonly RaftId[] {
  const { voters, votersOutgoing, learners, learnersNext } = conf;
  return [...voters, ...votersOutgoing, ...learners, ...learnersNext];
}

/** Entries of the queue that are looked at for what may be opened early. */
const OPEN_AHEAD_MAX = 32;

/** What an entry carries; `null` for nothing, or a change of the members. */
function proposalOf({ type, data }: Entry): Proposal | null {
  if (type !== ENTRY_NORMAL) {
    decodeMemberContext(decodeConfChange(type, data).context);
    return null;
  }
  return data.length === 0 ? null : decodeProposal(data);
}

/** @throws {ApplyHaltedError} What `decode` throws is its cause. */
function inEntry<T>(index: LogIndex, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new ApplyHaltedError(index, { cause });
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
