import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Kv } from "../../io/kv.ts";
import type { RowChange } from "../atomics.ts";
import { Backing } from "../backing.ts";
import { changesOf } from "../changes.ts";
import { StateGate } from "../gate.ts";
import { Loader } from "../loader.ts";
import { EMPTY_STATE, type StoreState } from "../meta.ts";
import { PlaceFilter } from "../place_filter.ts";
import { ALL_ROWS, sessionKey } from "../row_key.ts";
import { CleartextSealer, type RecordSealer } from "../sealer.ts";
import { encodeSession, type SessionRow } from "../session_row.ts";
import { Writer } from "../writer.ts";
import type { CheckpointRecord, CheckpointSource } from "./source.ts";

/** What a store has of its own beside what the members agree on. */
export interface BuildOptions {
  /** This node's MAC of the source's encryption state; `null` without keys. */
  readonly encryptionMac: Bytes | null;
  /** This node's current sessions: records are sealed under them. */
  readonly sessions: readonly SessionRow[];
  /** Keeps records in cleartext unless given. */
  readonly sealer?: RecordSealer;
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
  const { encryptionMac, sessions } = options;
  const { sealer = new CleartextSealer() } = options;
  const backing = await Backing.open(kv);
  const rows = await backing.list({ ...ALL_ROWS, limit: 1 });
  assert(rows.length === 0, "a store is built where nothing is");
  const overflows = new PlaceFilter();
  await loadRows(backing, source, { sealer, overflows, sessions });
  const state = { ...source.state, encryptionMac };
  const writer = new Writer({
    ...{ backing, sealer, overflows, state: EMPTY_STATE },
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
  },
): Promise<void> {
  const loader = new Loader(backing);
  try {
    await loader.add(options.sessions.map(sessionChange));
    for await (const page of source.records()) {
      await loader.add(await changesOf(page.map(toMutation), options));
    }
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

function toMutation({ database, key, ...record }: CheckpointRecord) {
  return { database, key, record };
}
