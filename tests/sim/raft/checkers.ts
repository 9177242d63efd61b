import { encodingSizeOf, payloadSizeOf } from "../../../src/raft/entry_size.ts";
import {
  assertMembership,
  describeConfig,
  isVoter,
} from "../../../src/raft/membership.ts";
import {
  type Message,
  messageName,
  MSG_APP,
  MSG_APP_RESP,
  MSG_SNAP,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { jointVote } from "../../../src/raft/quorum.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type LogIndex,
  NO_MEMBER,
  type RaftId,
  type Term,
} from "../../../src/raft/types.ts";
import { hashBytes } from "./dice.ts";
import type { Machine } from "./machine.ts";
import type { MemoryStorage } from "../../scenario/memory_storage.ts";

/** A rule that a run broke. */
export class SimFailure extends Error {
  override readonly name = "SimFailure";

  constructor(readonly check: string, detail: string) {
    super(`${check}: ${detail}`);
  }
}

/** What the checkers look at of one member. */
export interface Watched {
  readonly id: RaftId;
  readonly boot: number;
  readonly storage: MemoryStorage;
  readonly state: RaftState;
  /** Notes of the checkers about this start of the member. */
  readonly notes: Notes;
}

/** What the checkers saw of one start of a member. */
export interface Notes {
  commit: LogIndex;
  applied: LogIndex;
  leaderTerm: Term;
  matches: Map<RaftId, LogIndex>;
  ticks: number;
  /** Tick at which a leader heard a member last. */
  heard: Map<RaftId, number>;
  config: ConfState | null;
}

interface Place {
  readonly term: Term;
  readonly hash: number;
  /** Term of the member that was seen to commit it first. */
  readonly seenIn: Term;
}

const TERMS_MAX = 2 ** 20;

/** All rules that hold at every moment of every run. */
export class Checkers {
  /** Entry at each committed index, by any member. */
  readonly committed: (Place | undefined)[] = [];
  readonly #leaders = new Map<Term, string>();
  readonly #votes = new Map<number, RaftId>();
  readonly #entries = new Map<number, { hash: number; previous: Term }>();
  readonly #machines = new Map<LogIndex, number>();
  readonly #configs = new Map<LogIndex, string>();

  get commitMax(): LogIndex {
    return Math.max(0, this.committed.length - 1);
  }

  /** The group starts with everything up to `index` committed. */
  found(index: LogIndex, term: Term): void {
    for (let at = 1; at < index; at += 1) this.committed[at] = undefined;
    this.committed[index] = { term, hash: 0, seenIn: term };
  }

  /** Looks at a member after each event. */
  after(member: Watched): void {
    this.#checkCommit(member);
    const { state, notes } = member;
    if (state.role === "leader") this.#checkLeader(member);
    else notes.leaderTerm = 0;
  }

  /** A leader that checks its quorum leads on for two timeouts at most. */
  onTick({ id, state, notes }: Watched): void {
    notes.ticks += 1;
    const { checkQuorum, electionTicks } = state.options;
    if (state.role !== "leader" || !checkQuorum) return;
    const { progress, config } = state.membership;
    // Whoever becomes a voter is waited for anew.
    if (notes.config !== config) notes.heard.clear();
    notes.config = config;
    const alive = new Map<RaftId, boolean>();
    for (const member of progress.keys()) {
      const heard = notes.heard.get(member) ?? notes.ticks;
      notes.heard.set(member, member === id ? notes.ticks : heard);
      alive.set(member, notes.ticks - heard <= 2 * electionTicks);
    }
    alive.set(id, true);
    if (progress.has(id) && jointVote(config, alive) !== "won") {
      fail("StaleLeader", `${id} heard no quorum for two timeouts`);
    }
  }

  /** Looks at a message that arrives. */
  onReceive({ state, notes }: Watched, message: Message): void {
    if (state.role !== "leader" || message.term !== state.term) return;
    notes.heard.set(message.from, notes.ticks);
  }

  /** Looks at a message that leaves a member, to itself too. */
  onSend(member: Watched, message: Message): void {
    switch (message.type) {
      case MSG_APP:
        this.#checkAppend(member, message);
        break;
      case MSG_APP_RESP:
        checkAcknowledged(member, message);
        break;
      case MSG_VOTE_RESP:
        this.#checkVote(member, message);
        break;
      case MSG_SNAP: {
        const metadata = message.snapshot?.metadata;
        const index = metadata?.index ?? 0;
        const place = this.committed[index];
        if (place === undefined || place.term !== metadata?.term) {
          fail("SnapshotMismatch", `${member.id} sent one at ${index}`);
        }
      }
    }
  }

  /** Looks at entries where they become durable or leave a member. */
  onEntries(entries: readonly Entry[], previousTerm: Term | null): void {
    let previous = previousTerm;
    for (const entry of entries) {
      if (previous !== null && entry.term < previous) {
        fail("TermOrder", `${entry.term}/${entry.index} follows ${previous}`);
      }
      const key = entry.index * TERMS_MAX + entry.term;
      const known = this.#entries.get(key);
      const hash = hashEntry(entry);
      if (known === undefined) {
        if (previous !== null) this.#entries.set(key, { hash, previous });
      } else if (
        known.hash !== hash ||
        (previous !== null && previous !== known.previous)
      ) {
        fail("LogMatching", `two entries at ${entry.term}/${entry.index}`);
      }
      previous = entry.term;
    }
  }

  /** Looks at an entry that a member applied, and what it made of it. */
  onApply(member: Watched, entry: Entry, machine: Machine): void {
    const { notes } = member;
    if (entry.index !== notes.applied + 1) {
      fail("ApplyOrder", `${entry.index} after ${notes.applied}`);
    }
    notes.applied = entry.index;
    const place = this.committed[entry.index];
    if (place?.term !== entry.term || place.hash !== hashEntry(entry)) {
      fail("StateMachineSafety", `${member.id} applied ${entry.index}`);
    }
    this.onMachine(machine);
  }

  /** All state machines at one index are equal. */
  onMachine(machine: Machine): void {
    const { index, hash } = machine;
    const known = this.#machines.get(index);
    if (known === undefined) this.#machines.set(index, hash);
    else if (known !== hash) fail("MachineMismatch", `at ${index}`);
    const config = describeConfig(machine.config);
    const other = this.#configs.get(index);
    if (other === undefined) this.#configs.set(index, config);
    else if (other !== config) {
      fail("ConfigMismatch", `at ${index}: ${config} or ${other}`);
    }
  }

  #checkCommit({ id, state, storage, notes }: Watched): void {
    const { entryLog } = state;
    const { committed } = entryLog;
    if (committed === notes.commit) return;
    if (committed < notes.commit) {
      fail("CommitRegress", `${id} from ${notes.commit} to ${committed}`);
    }
    const from = Math.max(notes.commit + 1, entryLog.firstIndex());
    if (entryLog.firstIndex() - 1 > notes.commit) {
      const base = entryLog.firstIndex() - 1;
      if (this.committed[base]?.term !== entryLog.termOrZero(base)) {
        fail("CommitMismatch", `${id} starts from ${base}`);
      }
    }
    notes.commit = committed;
    if (from > committed) return;
    // Straight from the disk: the core may have to fetch what it lacks.
    const cut = Math.min(committed + 1, entryLog.unstable.offset);
    const entries = from < cut ? storage.entries(from, cut, Infinity) : [];
    if (typeof entries === "string") {
      return fail("Committed", `${id} cannot read ${from}: ${entries}`);
    }
    for (const entry of entries) this.#commitEntry(id, state.term, entry);
    if (cut > committed) return;
    const rest = entryLog.unstable.slice(Math.max(from, cut), committed + 1);
    for (const entry of rest) this.#commitEntry(id, state.term, entry);
  }

  #commitEntry(id: RaftId, seenIn: Term, entry: Entry): void {
    const { index, term } = entry;
    const hash = hashEntry(entry);
    const known = this.committed[index];
    if (known === undefined) {
      if (index !== this.committed.length) {
        fail("CommitGap", `${id} committed ${index} of ${this.commitMax}`);
      }
      this.committed.push({ term, hash, seenIn });
    } else if (known.term !== term || known.hash !== hash) {
      fail("CommitMismatch", `${id}: ${term}/${index}, not ${known.term}`);
    }
  }

  #checkLeader(member: Watched): void {
    const { id, boot, state, notes } = member;
    const { term, membership } = state;
    const who = `${id} boot ${boot}`;
    if (notes.leaderTerm !== term) {
      const other = this.#leaders.get(term) ?? who;
      this.#leaders.set(term, who);
      if (other !== who) fail("ElectionSafety", `${who} and ${other}: ${term}`);
      if (!isVoter(membership.config, id)) fail("LearnerLeader", who);
      this.#checkComplete(member);
      notes.leaderTerm = term;
      notes.matches = new Map();
      notes.heard = new Map();
    }
    assertMembership(membership);
    this.#checkProgress(member);
    const { uncommittedBytesMax } = state.options;
    if (state.uncommittedBytes > uncommittedBytesMax + BURST_BYTES_MAX) {
      fail("Uncommitted", `${who}: ${state.uncommittedBytes}`);
    }
  }

  /** A leader has all that was committed in terms before its own. */
  #checkComplete({ id, state }: Watched): void {
    const { entryLog, term } = state;
    let last = this.commitMax;
    // A leader that won late does not know what came after its term.
    while ((this.committed[last]?.seenIn ?? 0) >= term) last -= 1;
    if (last < Math.max(1, entryLog.firstIndex() - 1)) return;
    if (entryLog.term(last) !== this.committed[last]?.term) {
      fail("LeaderCompleteness", `${id} in ${term} lacks ${last}`);
    }
  }

  #checkProgress({ id, state, notes }: Watched): void {
    const { options, entryLog, membership } = state;
    for (const [peer, progress] of membership.progress) {
      const { match, next, inflights } = progress;
      const shown = `${id} about ${peer}: ${progress.describe()}`;
      if (match >= next) fail("Progress", shown);
      const end = Math.max(entryLog.lastIndex(), progress.pendingSnapshot);
      if (next > end + 1) fail("Progress", shown);
      const before = notes.matches.get(peer) ?? 0;
      // A member may come back under its id only in these runs' joint states.
      if (match < before && match !== 0) fail("MatchRegress", shown);
      notes.matches.set(peer, match);
      if (inflights.count > options.inflightCountMax) {
        fail("Inflights", shown);
      }
      const { inflightBytesMax, messageBytesMax } = options;
      const slack = Math.max(messageBytesMax, ENTRY_BYTES_MAX);
      if (
        inflightBytesMax > 0 && inflights.bytes >= inflightBytesMax + slack
      ) fail("InflightBytes", shown);
    }
  }

  #checkAppend({ id, state }: Watched, message: Message): void {
    this.onEntries(message.entries, message.logTerm);
    const { messageBytesMax } = state.options;
    if (
      message.entries.length > 1 &&
      encodingSizeOf(message.entries) > messageBytesMax
    ) fail("MessageSize", `${id}: ${payloadSizeOf(message.entries)}`);
  }

  #checkVote({ id, storage }: Watched, message: Message): void {
    if (message.reject) return;
    const key = id * TERMS_MAX + message.term;
    const other = this.#votes.get(key) ?? message.to;
    this.#votes.set(key, message.to);
    const shown = `${id} for ${message.to} in ${message.term}`;
    if (other !== message.to) fail("DoubleVote", `${shown} and ${other}`);
    const { term, vote } = storage.hardState;
    if (term < message.term || (term === message.term && vote !== message.to)) {
      fail("VoteBeforeDurable", shown);
    }
  }
}

/** Data of one entry and of one burst of proposals in a run, at most. */
export const ENTRY_BYTES_MAX = 48;
const BURST_BYTES_MAX = 200;

/** States that `message` could have been sent: what it promises is durable. */
function checkAcknowledged(member: Watched, message: Message): void {
  const { id, storage } = member;
  if (message.reject || message.index === 0) return;
  const { term } = storage.hardState;
  if (term < message.term) {
    fail("AckBeforeDurable", `${id} at term ${message.term}, durable ${term}`);
  }
  // An older promise may be about entries that were replaced since.
  if (term === message.term && message.index > storage.lastIndex()) {
    fail(
      "AckBeforeDurable",
      `${id} ${messageName(message.type)} ${message.index}, durable ` +
        `${storage.lastIndex()}`,
    );
  }
}

/** Notes for a fresh start of a member. */
export function newNotes(commit: LogIndex, applied: LogIndex): Notes {
  return {
    commit,
    applied,
    leaderTerm: NO_MEMBER,
    matches: new Map(),
    ticks: 0,
    heard: new Map(),
    config: null,
  };
}

/** Ends the run. @throws {SimFailure} Always. */
export function fail(check: string, detail: string): never {
  throw new SimFailure(check, detail);
}

function hashEntry(entry: Entry): number {
  return hashBytes(entry.data) ^ (entry.type === ENTRY_NORMAL ? 0 : entry.type);
}
