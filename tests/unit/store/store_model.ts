import { compareBytes } from "../../../src/base/bytes.ts";
import type {
  DatabaseNumber,
  FsmState,
  Member,
  MemberId,
  Mutation,
  StoredRecord,
} from "../../../src/fsm/types.ts";
import type { Kv } from "../../../src/io/kv.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { EMPTY_STATE, type StoreState } from "../../../src/store/meta.ts";
import type { StoreEntry, StoreRange } from "../../../src/store/read.ts";
import { Store } from "../../../src/store/store.ts";

/** What a store must look like: a sorted array for each database. */
export class StoreModel {
  readonly #databases = new Map<DatabaseNumber, StoreEntry[]>();

  apply(mutations: readonly Mutation[]): void {
    for (const { database, key, record } of mutations) {
      const entries = this.#databases.get(database) ?? [];
      this.#databases.set(database, entries);
      let at = entries.findIndex((entry) => compareBytes(entry.key, key) >= 0);
      if (at < 0) at = entries.length;
      const found = entries[at];
      const same = found !== undefined && compareBytes(found.key, key) === 0;
      const fresh = record === null ? [] : [{ key, ...record }];
      entries.splice(at, same ? 1 : 0, ...fresh);
    }
  }

  read(
    database: DatabaseNumber,
    range: StoreRange,
    clockMs: number,
  ): readonly StoreEntry[] {
    const { start, end, limit, reverse } = range;
    const found = (this.#databases.get(database) ?? []).filter((entry) =>
      compareBytes(entry.key, start) >= 0 &&
      compareBytes(entry.key, end) < 0 &&
      (entry.expireAtMs === 0 || entry.expireAtMs > clockMs)
    );
    return (reverse ? found.reverse() : found).slice(0, limit);
  }

  entries(database: DatabaseNumber): readonly StoreEntry[] {
    return this.#databases.get(database) ?? [];
  }
}

/** A record whose versionstamp is that of log entry `index`. */
export function recordOf(
  data: Uint8Array,
  index: number,
  expireAtMs = 0,
): StoredRecord {
  const versionstamp = new Uint8Array(10);
  new DataView(versionstamp.buffer).setUint32(4, index);
  return { value: { data, encoding: 3 }, versionstamp, expireAtMs };
}

/** State after log entry `index`. */
export function stateAt(index: number, clockMs = 0): StoreState {
  return {
    ...EMPTY_STATE,
    applied: { index, term: 1 },
    fsm: { ...EMPTY_STATE.fsm, clockMs },
  };
}

/** A member of which nothing but its id and address is known. */
export function memberOf(id: MemberId, peerAddress = ""): Member {
  return {
    id,
    name: `n${id}`,
    peerAddress,
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  };
}

/** State after log entry `index` with these members. */
export function stateOf(
  index: number,
  members: FsmState["members"],
): StoreState {
  const state = stateAt(index);
  return { ...state, fsm: { ...state.fsm, members } };
}

/** Entries as text: differences print small. */
export function plain(entries: readonly StoreEntry[]): readonly string[] {
  return entries.map(({ key, value, versionstamp, expireAtMs }) =>
    [
      `${key.length}:${[...key.subarray(0, 8)]}…${[...key.subarray(-4)]}`,
      `${value.data.length}:${value.data.at(0)}`,
      versionstamp.at(7),
      expireAtMs,
    ].join(" ")
  );
}

export const SILENT_LOG = { write: () => {} };

/** What `Store` and `BufferedStore` have in common. */
export type AnyStore = Pick<
  BufferedStore,
  "commit" | "readRecords" | "readRanges" | "sweep" | "state" | "close"
>;

export const STORES: readonly (readonly [
  name: string,
  open: (kv: Kv | Promise<Kv>) => Promise<AnyStore>,
])[] = [
  ["Store", (kv) => Store.open({ kv, log: SILENT_LOG })],
  ["BufferedStore", (kv) => BufferedStore.open({ kv, log: SILENT_LOG })],
];
