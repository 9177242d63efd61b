import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Kv } from "../../io/kv.ts";
import type { RowChange } from "../atomics.ts";
import { Backing } from "../backing.ts";
import { changesOf } from "../changes.ts";
import { StateGate } from "../gate.ts";
import { Loader } from "../loader.ts";
import { EMPTY_STATE, type StoreState } from "../meta.ts";
import { encodeNoCleartext } from "../no_cleartext.ts";
import { PlaceFilter } from "../place_filter.ts";
import { ALL_ROWS, NO_CLEARTEXT_KEY, sessionKey } from "../row_key.ts";
import type { RecordSealer } from "../sealer.ts";
import { RecordSealing } from "../sealing.ts";
import { encodeSession, type SessionRow } from "../session_row.ts";
import { findSession, placeSession } from "../sessions.ts";
import { Writer } from "../writer.ts";
import type { RecordKeys } from "../record_keys.ts";
import type { CheckpointRecord, CheckpointSource } from "./source.ts";

/** What a store has of its own beside what the members agree on. */
export interface BuildOptions {
  /** This node's MAC of the source's encryption state; `null` without keys. */
  readonly encryptionMac: Bytes | null;
  /** This node's current sessions. */
  readonly sessions: readonly SessionRow[];
  /** Needed when the source's state has a storage cutover: records are sealed. */
  readonly keys?: RecordKeys;
}

/**
 * Fills the empty `kv` from `source` and closes neither; a store opened on it
 * then has the source's state.
 *
 * The state is committed last: what a crash or an error leaves behind opens as
 * nothing (STORE_ROW_DAMAGED), and is to be removed.
 *
 * @throws {NodeError} What the source throws; STORE_BACKING_FAILED.
 */
export async function buildStore(
  kv: Kv,
  source: CheckpointSource,
  options: BuildOptions,
): Promise<StoreState> {
  const { encryptionMac, sessions, keys = null } = options;
  const backing = await Backing.open(kv);
  const rows = await backing.list({ ...ALL_ROWS, limit: 1 });
  assert(rows.length === 0, "a store is built where nothing is");
  const overflows = new PlaceFilter();
  const state = { ...source.state, encryptionMac };
  const sealing = new RecordSealing({
    keys,
    findSession: (place) => findSession(backing, place),
    // No meta row goes with it: that one says that all is there.
    insertSession: (row) => placeSession(backing, row, state),
    state: () => state,
  });
  await loadRows(backing, source, {
    ...{ sealer: sealing.sealerFor(state), overflows, sessions },
    storageCutoverIndex: state.fsm.encryption.storageCutoverIndex,
  });
  const writer = new Writer({
    ...{ backing, sealing, overflows, state: EMPTY_STATE },
    gate: new StateGate(),
    databasesStored: new Set(),
    onExpiry: () => {},
  });
  await writer.commit({ state, mutations: [] });
  return state;
}

async function loadRows(
  backing: Backing,
  source: CheckpointSource,
  options: {
    readonly sealer: RecordSealer;
    readonly overflows: PlaceFilter;
    readonly sessions: readonly SessionRow[];
    readonly storageCutoverIndex: number;
  },
): Promise<void> {
  const loader = new Loader(backing);
  try {
    await loader.add(options.sessions.map(sessionChange));
    for await (const page of source.records()) {
      await loader.add(await changesOf(page.map(toMutation), options));
    }
    const { storageCutoverIndex } = options;
    if (storageCutoverIndex > 0) await loader.add([mark(storageCutoverIndex)]);
    await loader.flush();
  } catch (error) {
    // Whoever closes `kv` now must not meet a commit under way.
    await loader.settled();
    throw error;
  }
}

function sessionChange(row: SessionRow): RowChange {
  return { key: sessionKey(row), value: encodeSession(row) };
}

/** Records were sealed one and all. */
function mark(storageCutoverIndex: number): RowChange {
  const value = encodeNoCleartext(storageCutoverIndex);
  return { key: NO_CLEARTEXT_KEY, value };
}

function toMutation({ database, key, ...record }: CheckpointRecord) {
  return { database, key, record };
}
