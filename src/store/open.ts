import type { Bytes } from "../base/bytes.ts";
import {
  type DatabaseNumber,
  type Member,
  type MemberId,
  NO_ENCRYPTION,
  NO_ROLLOUT,
  type RolloutState,
} from "../fsm/types.ts";
import type { Backing } from "./backing.ts";
import { decodeEncryption, type StoredEncryption } from "./encryption_row.ts";
import { StoreRowDamagedError } from "./errors.ts";
import { firstExpiryMs } from "./expiry.ts";
import {
  decodeDatabase,
  decodeMeta,
  EMPTY_STATE,
  type StoreState,
} from "./meta.ts";
import { decodeMembers } from "./members_row.ts";
import { recoverParts } from "./multi_part.ts";
import { readNoCleartext } from "./no_cleartext.ts";
import { PlaceFilter } from "./place_filter.ts";
import { readRow } from "./read.ts";
import { decodeRollout } from "./rollout_row.ts";
import {
  ALL_ROWS,
  DATABASE_ROWS,
  ENCRYPTION_ROWS,
  MEMBERS_KEY,
  META_KEY,
  OVERFLOW_ROWS,
  overflowOwner,
  parseDatabaseKey,
  parseEncryptionKey,
  parseRowKey,
  ROLLOUT_KEY,
} from "./row_key.ts";
import { rowsOf } from "./rows_of.ts";

/** What a store knows when it opens. */
export interface OpenedState {
  readonly state: StoreState;
  readonly databasesStored: Set<DatabaseNumber>;
  readonly overflows: PlaceFilter;
  readonly nextExpiryMs: number | null;
  /** No record is in cleartext any more. */
  readonly hasNoCleartextMark: boolean;
  readonly recovered: "nothing" | "finished" | "dropped";
}

/**
 * Brings the store to its last committed state and reads what is kept in
 * memory.
 *
 * @throws {NodeError} Damaged rows, a later format, a failing backing store.
 */
export async function openState(backing: Backing): Promise<OpenedState> {
  const [meta] = await backing.get([META_KEY]);
  if (meta === null || meta === undefined) return await openEmpty(backing);
  // The format must be known before anything is changed.
  decodeMeta(meta, new Map());
  const recovered = await recoverParts(backing);
  const databases = await readDatabases(backing);
  const { state, hasEncryption } = decodeMeta(meta, databases);
  const members = await readMembers(backing);
  const { encryption, encryptionMac } = await readEncryption(
    backing,
    hasEncryption,
  );
  const rollout = await readRollout(backing);
  const fsm = { ...state.fsm, members, encryption, rollout };
  return {
    state: { ...state, fsm, encryptionMac },
    databasesStored: new Set(databases.values()),
    overflows: await readOverflows(backing),
    nextExpiryMs: await firstExpiryMs(backing),
    hasNoCleartextMark: await readNoCleartext(
      backing,
      encryption.storageCutoverIndex,
    ),
    recovered,
  };
}

/** A first commit in parts may have left staged rows, and nothing else. */
async function openEmpty(backing: Backing): Promise<OpenedState> {
  const recovered = await recoverParts(backing);
  const [row] = await backing.list({ ...ALL_ROWS, limit: 1 });
  if (row !== undefined) throw new StoreRowDamagedError("meta", "missing");
  return {
    state: EMPTY_STATE,
    databasesStored: new Set(),
    overflows: new PlaceFilter(),
    nextExpiryMs: null,
    hasNoCleartextMark: false,
    recovered,
  };
}

async function readDatabases(
  backing: Backing,
): Promise<ReadonlyMap<string, DatabaseNumber>> {
  const databases = new Map<string, DatabaseNumber>();
  for await (const { key, value } of rowsOf(backing, DATABASE_ROWS)) {
    const number = parseDatabaseKey(key);
    if (number === null) {
      throw new StoreRowDamagedError("database", "unknown key");
    }
    databases.set(decodeDatabase(value, number), number);
  }
  return databases;
}

/** Programs that knew no members wrote no row. */
export async function readMembers(
  backing: Backing,
): Promise<ReadonlyMap<MemberId, Member>> {
  const [row] = await backing.get([MEMBERS_KEY]);
  return row === null || row === undefined ? new Map() : decodeMembers(row);
}

/** There is none before anything happened. */
export async function readRollout(backing: Backing): Promise<RolloutState> {
  const [row] = await backing.get([ROLLOUT_KEY]);
  return row === null || row === undefined ? NO_ROLLOUT : decodeRollout(row);
}

/** Programs that knew no encryption wrote no rows, and say so. */
export async function readEncryption(
  backing: Backing,
  isThere: boolean,
): Promise<StoredEncryption | typeof NO_STORED_ENCRYPTION> {
  const rows: Bytes[] = [];
  for await (const { key, value } of rowsOf(backing, ENCRYPTION_ROWS)) {
    if (parseEncryptionKey(key) !== rows.length) {
      throw new StoreRowDamagedError("encryption state", "unknown key");
    }
    rows.push(value);
  }
  if (isThere) return decodeEncryption(rows);
  if (rows.length === 0) return NO_STORED_ENCRYPTION;
  throw new StoreRowDamagedError("encryption state", "of another meta row");
}
const NO_STORED_ENCRYPTION = {
  encryption: NO_ENCRYPTION,
  encryptionMac: null,
} as const;

async function readOverflows(backing: Backing): Promise<PlaceFilter> {
  const overflows = new PlaceFilter();
  for await (const { key } of rowsOf(backing, OVERFLOW_ROWS)) {
    const row = overflowOwner(key);
    const at = parseRowKey(row);
    if (at?.hash === null) {
      overflows.add({ database: at.database, key: at.bytes });
      continue;
    }
    const [value] = await backing.get([row]);
    if (value !== null && value !== undefined) {
      overflows.add(readRow(row, value).place);
    }
  }
  return overflows;
}
