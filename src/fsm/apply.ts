import { unreachable } from "../base/assert.ts";
import { equalBytes } from "../base/bytes.ts";
import {
  type ChangeContext,
  evaluateChange,
  isLive,
  readsRecord,
} from "./changes.ts";
import { decideEncryption, type EncryptionRefusal } from "./encryption.ts";
import { RECORD_KEY_BYTES_MAX } from "./limits.ts";
import { memberAnnounced } from "./members.ts";
import type { Payload } from "./payload.ts";
import { decideRollout } from "./rollout.ts";
import { recordId, RecordOverlay, type RecordView } from "./record_view.ts";
import {
  type AtomicWrite,
  type DatabaseNumber,
  DATABASES_MAX,
  DEFAULT_DATABASE,
  type EncryptionChange,
  type FsmState,
  type Mutation,
  type RecordKey,
  type RolloutChange,
  type StoredRecord,
  type Versionstamp,
  type WriteReply,
} from "./types.ts";
import { versionstampOf } from "./versionstamp.ts";

/** What one log entry did. */
export interface Applied {
  /** The very state given when nothing in it changed. */
  readonly state: FsmState;
  /** In order: of two on one key the later one holds. */
  readonly mutations: readonly Mutation[];
  /**
   * One for each write of a batch, none for a clock, encryption and the rollout,
   * one for all else.
   */
  readonly replies: readonly WriteReply[];
  /** Why an entry of encryption or the rollout changed nothing, else `null`. */
  readonly refusal: EncryptionRefusal | null;
}

/**
 * Returns the keys whose records `applyPayload` may ask its view for, each once.
 *
 * Names databases as `state` knows them: a database that an entry between
 * `state` and this one makes has no records but that entry's mutations.
 */
export function keysToRead(
  state: FsmState,
  payload: Payload,
): readonly RecordKey[] {
  if (payload.kind !== "batch") return [];
  const keys = new Map<string, RecordKey>();
  for (const write of payload.writes) {
    const database = databaseOf(state.databases, write);
    if (database === null) continue;
    for (const { key } of write.checks) addKey(keys, { database, key });
    for (const change of write.changes) {
      if (!readsRecord(change)) continue;
      addKey(keys, { database, key: change.key });
    }
  }
  return [...keys.values()];
}

function addKey(keys: Map<string, RecordKey>, key: RecordKey): void {
  if (key.key.length > RECORD_KEY_BYTES_MAX) return;
  keys.set(recordId(key.database, key.key), key);
}

/**
 * Applies the payload of the entry at `index` to `state` and the records that
 * `view` shows.
 *
 * Total and deterministic: any decoded payload gives an answer, the same one on
 * every member. A write that is refused leaves no trace.
 */
export function applyPayload(
  state: FsmState,
  view: RecordView,
  index: number,
  payload: Payload,
): Applied {
  switch (payload.kind) {
    case "batch": {
      const run = new BatchRun(state, view, index, payload);
      const replies = payload.writes.map((write, position) =>
        run.apply(write, position)
      );
      const { mutations } = run;
      return { state: run.state(), mutations, replies, refusal: null };
    }
    case "clock": {
      const next = withClock(state, payload.clockMs);
      return { state: next, mutations: [], replies: [], refusal: null };
    }
    case "cluster-init":
      return applyClusterInit(state, index, payload);
    case "announcement": {
      const next = memberAnnounced(state, payload.member);
      return typeof next === "string"
        ? rejected(state, next)
        : committed(next, index);
    }
    case "encryption":
      return applyEncryption(state, index, payload.change);
    case "rollout":
      return applyRollout(state, index, payload.change);
    default:
      return unreachable(payload);
  }
}

function applyClusterInit(
  state: FsmState,
  index: number,
  init: Extract<Payload, { kind: "cluster-init" }>,
): Applied {
  if (state.clusterId !== null) {
    return rejected(state, "The cluster has been founded already");
  }
  const { clusterId, clusterName } = init;
  const members = new Map(init.members.map((member) => [member.id, member]));
  return committed({ ...state, clusterId, clusterName, members }, index);
}

function applyEncryption(
  state: FsmState,
  index: number,
  change: EncryptionChange,
): Applied {
  const decision = decideEncryption(state, index, change);
  if (decision.kind === "refused") {
    const { refusal } = decision;
    return { state, mutations: [], replies: [], refusal };
  }
  const next = decision.next === state.encryption
    ? state
    : { ...state, encryption: decision.next };
  return { state: next, mutations: [], replies: [], refusal: null };
}

function applyRollout(
  state: FsmState,
  index: number,
  change: RolloutChange,
): Applied {
  const decision = decideRollout(state, index, change);
  if (decision.kind === "refused") {
    const { refusal } = decision;
    return { state, mutations: [], replies: [], refusal };
  }
  const next = decision.next === state.rollout
    ? state
    : { ...state, rollout: decision.next };
  return { state: next, mutations: [], replies: [], refusal: null };
}

function committed(state: FsmState, index: number): Applied {
  const versionstamp = versionstampOf(index, 0);
  return {
    state,
    mutations: [],
    replies: [{ kind: "committed", versionstamp }],
    refusal: null,
  };
}

function rejected(state: FsmState, reason: string): Applied {
  const reply = { kind: "rejected" as const, reason };
  return { state, mutations: [], replies: [reply], refusal: null };
}

function withClock(state: FsmState, clockMs: number): FsmState {
  return clockMs > state.clockMs ? { ...state, clockMs } : state;
}

/** Returns `null` for a database that nothing was written to. */
function databaseOf(
  databases: ReadonlyMap<string, DatabaseNumber>,
  { database }: AtomicWrite,
): DatabaseNumber | null {
  return database === "" ? DEFAULT_DATABASE : databases.get(database) ?? null;
}

/** One batch in progress. */
class BatchRun {
  readonly mutations: Mutation[] = [];
  readonly #state: FsmState;
  readonly #view: RecordView;
  readonly #index: number;
  /** What earlier writes of the batch left; `null` when nothing reads it. */
  readonly #written: RecordOverlay | null;
  #databases: Map<string, DatabaseNumber> | null = null;

  constructor(
    state: FsmState,
    view: RecordView,
    index: number,
    batch: Extract<Payload, { kind: "batch" }>,
  ) {
    this.#state = withClock(state, batch.nowMs);
    this.#view = view;
    this.#index = index;
    this.#written = batch.writes.some(readsRecords)
      ? new RecordOverlay()
      : null;
  }

  state(): FsmState {
    return this.#databases === null
      ? this.#state
      : { ...this.#state, databases: this.#databases };
  }

  apply(write: AtomicWrite, position: number): WriteReply {
    const databases = this.#databases ?? this.#state.databases;
    const existing = databaseOf(databases, write);
    const failedChecks = this.#failedChecks(existing, write);
    if (failedChecks.length > 0) return { kind: "check-failed", failedChecks };
    const versionstamp = versionstampOf(this.#index, position);
    if (write.changes.length === 0) return { kind: "committed", versionstamp };
    // The default database and the named ones are numbered without a gap.
    const database = existing ?? databases.size + 2;
    if (database > DATABASES_MAX) {
      return {
        kind: "rejected",
        reason: `Too many databases (max ${DATABASES_MAX})`,
      };
    }
    const mutations = this.#evaluate(database, write, versionstamp);
    if (typeof mutations === "string") {
      return { kind: "rejected", reason: mutations };
    }
    if (existing === null) {
      this.#databases ??= new Map(this.#state.databases);
      this.#databases.set(write.database, database);
    }
    for (const mutation of mutations) {
      this.mutations.push(mutation);
      this.#written?.put(mutation, mutation.record);
    }
    return { kind: "committed", versionstamp };
  }

  #failedChecks(
    database: DatabaseNumber | null,
    { checks }: AtomicWrite,
  ): readonly number[] {
    const failed: number[] = [];
    checks.forEach(({ key, versionstamp }, i) => {
      const record = database === null ? null : this.#live({ database, key });
      const holds = record === null || versionstamp === null
        ? record === null && versionstamp === null
        : equalBytes(record.versionstamp, versionstamp);
      if (!holds) failed.push(i);
    });
    return failed;
  }

  #evaluate(
    database: DatabaseNumber,
    { changes }: AtomicWrite,
    versionstamp: Versionstamp,
  ): readonly Mutation[] | string {
    const mutations: Mutation[] = [];
    const own = changes.some(readsRecord) ? new RecordOverlay() : null;
    const context: ChangeContext = {
      database,
      versionstamp,
      clockMs: this.#state.clockMs,
      current: (key) => {
        const changed = own?.find({ database, key });
        return changed === undefined ? this.#live({ database, key }) : changed;
      },
    };
    for (const change of changes) {
      const mutation = evaluateChange(change, context);
      if (typeof mutation === "string") return mutation;
      mutations.push(mutation);
      own?.put(mutation, mutation.record);
    }
    return mutations;
  }

  /** Returns the record that this write's checks and first changes see. */
  #live(key: RecordKey): StoredRecord | null {
    if (key.key.length > RECORD_KEY_BYTES_MAX) return null;
    const written = this.#written?.find(key);
    const record = written === undefined ? this.#view.get(key) : written;
    return record !== null && isLive(record, this.#state.clockMs)
      ? record
      : null;
  }
}

function readsRecords({ checks, changes }: AtomicWrite): boolean {
  return checks.length > 0 || changes.some(readsRecord);
}
