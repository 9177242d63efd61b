import { equalBytes, toHex } from "../../../src/base/bytes.ts";
import { applyPayload } from "../../../src/fsm/apply.ts";
import { membersAfter } from "../../../src/fsm/members.ts";
import { decodePayload } from "../../../src/fsm/payload.ts";
import { decodeProposal } from "../../../src/fsm/proposal.ts";
import {
  type AtomicWrite,
  DEFAULT_DATABASE,
  type EncryptionChange,
  type FsmState,
  type Mutation,
  type RolloutChange,
  type StoredRecord,
  type WriteReply,
} from "../../../src/fsm/types.ts";
import { decodeConfChange } from "../../../src/raft/conf_change.ts";
import { confStateAfter } from "../../../src/raft/conf_switch.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type LogIndex,
  type Term,
} from "../../../src/raft/types.ts";
import { EMPTY_STATE } from "../../../src/store/meta.ts";
import { fail } from "../raft/checkers.ts";
import { hashBytes } from "../raft/dice.ts";
import {
  encryptionLine,
  encryptionText,
} from "./encryption/encryption_text.ts";
import { TrueKeys } from "./rollout/true_keys.ts";
import { attemptOf, keyText, valueText } from "./values.ts";

/** The raft cutover: tag and sub-tag. It is never sealed. */
const MARKER = Uint8Array.of(0x05, 0x05);

/** Each is the index of one entry, for ever. */
const CUTOVERS = [
  "storageCutoverIndex",
  "raftCutoverIndex",
  "cleartextLockIndex",
] as const;

/** Where a cluster's log begins (node/open_log.ts). */
export const FOUNDING_INDEX = 2;

/** What one committed entry did to the one and only store. */
export interface TrueEntry {
  readonly term: Term;
  readonly hash: number;
  readonly fsm: FsmState;
  readonly confState: ConfState;
  readonly mutations: readonly Mutation[];
}

/** A value of a key from entry `from` on; `stamp` null: there is no key. */
export interface Version {
  readonly from: LogIndex;
  /** Order among versions of one entry. */
  readonly position: number;
  readonly value: string;
  readonly stamp: string | null;
  /** Unix ms, 0 for never. */
  readonly expireAtMs: number;
}

/** A change of encryption in the log; refused ones change nothing. */
export interface LoggedChange {
  readonly index: LogIndex;
  readonly kind: EncryptionChange["kind"] | RolloutChange["kind"];
  readonly isTaken: boolean;
}

/** Where the log holds an attempt, and what its client is to be told. */
export interface LoggedAttempt {
  readonly index: LogIndex;
  readonly reply: WriteReply;
}

/**
 * The one history that all members must follow: entries in the order in which
 * anybody first saw them committed, applied to one store without faults.
 */
export class Truth {
  readonly #entries: TrueEntry[] = [];
  readonly #records = new Map<string, StoredRecord>();
  readonly #versions = new Map<string, Version[]>();
  readonly #attempts = new Map<string, LoggedAttempt[]>();
  readonly changes: LoggedChange[] = [];
  /** Of the cluster, opened with the KEKs of the world. */
  readonly dataKeys: TrueKeys;
  #fsm: FsmState = EMPTY_STATE.fsm;
  #confState: ConfState;
  /** The last change of the voters, and who they were before it. */
  change: {
    readonly index: LogIndex;
    readonly votersBefore: readonly string[];
  } | null = null;

  constructor(founding: ConfState, dataKeys = new TrueKeys()) {
    this.#confState = founding;
    this.dataKeys = dataKeys;
  }

  /** The same log so far, for disks that were cloned; who asked is forgotten. */
  fork(): Truth {
    const fork = new Truth(this.#confState, this.dataKeys);
    fork.#fsm = this.#fsm;
    fork.change = this.change;
    fork.#entries.push(...this.#entries);
    for (const [key, record] of this.#records) fork.#records.set(key, record);
    for (const [key, list] of this.#versions) {
      fork.#versions.set(key, [...list]);
    }
    return fork;
  }

  /** Index of the last entry known to be committed. */
  get last(): LogIndex {
    return FOUNDING_INDEX + this.#entries.length;
  }

  /** After the last entry known to be committed. */
  get fsm(): FsmState {
    return this.#fsm;
  }

  /** Names of all voters, of both sets while two decide. */
  voters(): readonly string[] {
    const { voters, votersOutgoing } = this.#confState;
    const ids = new Set([...voters, ...votersOutgoing]);
    return [...ids].map((id) => this.#fsm.members.get(id)?.name ?? `id-${id}`);
  }

  /** Names of all members; none before the founding. */
  members(): readonly string[] {
    return [...this.#fsm.members.values()].map(({ name }) => name);
  }

  /** Whether the cluster knows the disk of member `name`. */
  knowsDisk(name: string): boolean {
    const members = [...this.#fsm.members.values()];
    return members.some((one) => one.name === name && one.diskId !== null);
  }

  entry(index: LogIndex): TrueEntry | null {
    return this.#entries[index - FOUNDING_INDEX - 1] ?? null;
  }

  attempts(id: string): readonly LoggedAttempt[] {
    return this.#attempts.get(id) ?? [];
  }

  allAttempts(): Iterable<readonly [string, readonly LoggedAttempt[]]> {
    return this.#attempts;
  }

  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** Keys that were ever written, in their order. */
  keys(): readonly string[] {
    return [...this.#versions.keys()].sort();
  }

  /** All records after entry `index`, as lines of text in the order of keys. */
  contentAt(index: LogIndex): readonly string[] {
    const lines: string[] = [];
    const clockMs = this.entry(index)?.fsm.clockMs ?? 0;
    for (const key of this.keys()) {
      const version = this.versions(key).findLast(({ from }) => from <= index);
      if (version === undefined || version.stamp === null) continue;
      const { expireAtMs } = version;
      if (expireAtMs !== 0 && expireAtMs <= clockMs) continue;
      lines.push(contentLine(key, version.value, version.stamp));
    }
    return lines;
  }

  /** Takes an entry that `who` has committed; all must agree on it. */
  commit(who: string, entry: Entry): void {
    const { index, term } = entry;
    const hash = hashBytes(entry.data) ^ entry.type;
    const known = this.entry(index);
    if (known !== null) {
      if (known.term !== term || known.hash !== hash) {
        fail("CommitMismatch", `${who}: ${term}/${index}, not ${known.term}`);
      }
      return;
    }
    if (index !== this.last + 1) {
      if (index > FOUNDING_INDEX) {
        fail("CommitGap", `${who} committed ${index}, known to ${this.last}`);
      }
      return;
    }
    const before = this.#entries.at(-1)?.term ?? 0;
    if (term < before) fail("TermOrder", `${term}/${index} after ${before}`);
    const mutations = this.#apply(entry);
    const { fsm, confState } = { fsm: this.#fsm, confState: this.#confState };
    this.#entries.push({ term, hash, fsm, confState, mutations });
  }

  #apply(entry: Entry): readonly Mutation[] {
    if (entry.type !== ENTRY_NORMAL) {
      const votersBefore = this.voters();
      const after = confStateAfter(this.#confState, entry);
      this.#fsm = membersAfter(this.#fsm, {
        before: idsOf(this.#confState),
        after: idsOf(after),
        context: decodeConfChange(entry.type, entry.data).context,
      });
      this.#confState = after;
      if (this.voters().join() !== votersBefore.join()) {
        this.change = { index: entry.index, votersBefore };
      }
      return [];
    }
    if (entry.data.length === 0) return [];
    const payload = decodePayload(this.#payload(entry));
    const view = {
      get: ({ key }: { key: Uint8Array }) =>
        this.#records.get(keyText(key)) ?? null,
    };
    const before = this.#fsm;
    const applied = applyPayload(before, view, entry.index, payload);
    this.#fsm = applied.state;
    if (payload.kind === "encryption") {
      const isTaken = applied.refusal === null;
      const { kind } = payload.change;
      this.changes.push({ index: entry.index, kind, isTaken });
      this.dataKeys.learn(this.#fsm);
      checkEncryption(before, applied.state, { index: entry.index, isTaken });
    }
    if (payload.kind === "rollout" && payload.change.kind !== "event") {
      const isTaken = applied.refusal === null;
      const { kind } = payload.change;
      this.changes.push({ index: entry.index, kind, isTaken });
    }
    applied.mutations.forEach((mutation, i) =>
      this.#put(entry.index, mutation, i)
    );
    if (payload.kind === "batch") {
      payload.writes.forEach((write, i) =>
        this.#log(entry.index, write, applied.replies[i] as WriteReply)
      );
    }
    return applied.mutations;
  }

  /** Behind the raft cutover all is sealed, and nothing is before. */
  #payload({ index, data }: Entry): Uint8Array {
    const { payload } = decodeProposal(data);
    const { clusterId, encryption: { raftCutoverIndex } } = this.#fsm;
    if (raftCutoverIndex === 0 || clusterId === null) return payload;
    if (equalBytes(payload, MARKER)) return payload;
    const opened = this.dataKeys.openRaft(clusterId, payload);
    if (opened === null) {
      const what = `entry ${index} behind the cutover at ${raftCutoverIndex}`;
      fail("Unwrapped", `${what} opens under no raft key`);
    }
    return opened;
  }

  #put(from: LogIndex, mutation: Mutation, position: number): void {
    if (mutation.database !== DEFAULT_DATABASE) return;
    const key = keyText(mutation.key);
    const { record } = mutation;
    if (record === null) this.#records.delete(key);
    else this.#records.set(key, record);
    const versions = this.#versions.get(key) ?? [];
    this.#versions.set(key, versions);
    const last = versions.at(-1);
    // Of two versions in one entry only the last is ever seen.
    if (last?.from === from) versions.pop();
    versions.push({
      from,
      position,
      value: record === null ? "" : valueText(record.value),
      stamp: record === null ? null : toHex(record.versionstamp),
      expireAtMs: record?.expireAtMs ?? 0,
    });
  }

  #log(index: LogIndex, write: AtomicWrite, reply: WriteReply): void {
    const id = attemptOf(write);
    if (id === null) return;
    this.#attempts.set(id, [...this.attempts(id), { index, reply }]);
  }
}

/**
 * A refused change changes nothing; no epoch in the registry goes back; a
 * cutover is where its entry is.
 */
function checkEncryption(
  before: FsmState,
  after: FsmState,
  { index, isTaken }: { readonly index: LogIndex; readonly isTaken: boolean },
): void {
  const [old, now] = [before.encryption, after.encryption];
  if (!isTaken && encryptionText(old) !== encryptionText(now)) {
    fail("RefusedChange", `entry ${index}: ${encryptionLine(now)}`);
  }
  for (const name of CUTOVERS) {
    const [was, is] = [old[name], now[name]];
    if (was !== is && (was !== 0 || is !== index)) {
      fail("CutoverIndex", `${name} at ${index}: ${is}, was ${was}`);
    }
  }
  for (const [id, { lastEpoch }] of old.writers) {
    const epoch = now.writers.get(id)?.lastEpoch ?? Infinity;
    if (epoch < lastEpoch) {
      fail("RegistryWentBack", `${id} at ${index}: ${epoch}, not ${lastEpoch}`);
    }
  }
}

function idsOf(conf: ConfState): readonly number[] {
  const { voters, votersOutgoing, learners, learnersNext } = conf;
  return [...voters, ...votersOutgoing, ...learners, ...learnersNext];
}

export function contentLine(key: string, value: string, stamp: string): string {
  return `${key}=${value}@${stamp}`;
}
