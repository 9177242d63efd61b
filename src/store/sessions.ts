import { equalBytes } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import type { KvRow } from "../io/kv.ts";
import type { Backing } from "./backing.ts";
import { StoreRowDamagedError } from "./errors.ts";
import { EMPTY_STATE, encodeMeta, type StoreState } from "./meta.ts";
import {
  META_KEY,
  parseSessionKey,
  SESSION_ROWS,
  sessionKey,
} from "./row_key.ts";
import { rowsOf } from "./rows_of.ts";
import {
  decodeSession,
  encodeSession,
  type SessionPlace,
  type SessionRow,
} from "./session_row.ts";

/**
 * Makes `row` durable; false, and nothing changed, when its session has one.
 * Needs no turn among commits: it names no row that they do.
 */
export async function insertSession(
  backing: Backing,
  row: SessionRow,
  state: StoreState,
): Promise<boolean> {
  const key = sessionKey(row);
  const set = { key, value: encodeSession(row) };
  if (state === EMPTY_STATE) {
    // A store with rows and without a meta row would not open.
    const meta = { key: META_KEY, value: encodeMeta(state) };
    if (await backing.insert([key, META_KEY], [set, meta])) return true;
  }
  return await backing.insert([key], [set]);
}

/** Whether the store has `row` now, salt and all, inserted if absent. */
export async function placeSession(
  backing: Backing,
  row: SessionRow,
  state: StoreState,
): Promise<boolean> {
  if (await insertSession(backing, row, state)) return true;
  const found = await findSession(backing, row);
  return found !== null && equalBytes(found.salt, row.salt);
}

/** The session's row; `null` when there is none. @throws {NodeError} */
export async function findSession(
  backing: Backing,
  place: SessionPlace,
): Promise<SessionRow | null> {
  const [value] = await backing.get([sessionKey(place)]);
  return value === null || value === undefined
    ? null
    : decodeSession(value, place);
}

/** All session rows, by key id, node16, epoch. @throws {NodeError} */
export async function readSessions(
  backing: Backing,
): Promise<readonly SessionRow[]> {
  const sessions: SessionRow[] = [];
  for await (const row of rowsOf(backing, SESSION_ROWS)) {
    sessions.push(readSession(row));
  }
  return sessions;
}

function readSession({ key, value }: KvRow): SessionRow {
  const place = parseSessionKey(key);
  if (place === null) throw new StoreRowDamagedError("session", "unknown key");
  return decodeSession(value, place);
}

/** The highest epoch of each key that has sessions. */
export function highestEpochs(
  sessions: readonly SessionRow[],
): ReadonlyMap<KeyId, number> {
  const epochs = new Map<KeyId, number>();
  for (const { keyId, epoch } of sessions) {
    epochs.set(keyId, Math.max(epoch, epochs.get(keyId) ?? 0));
  }
  return epochs;
}
