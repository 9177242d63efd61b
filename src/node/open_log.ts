import { equalBytes, toHex } from "../base/bytes.ts";
import type { ConfState, RaftId, SnapshotMetadata } from "../raft/types.ts";
import type { BufferedStore } from "../store/buffered_store.ts";
import { Wal, type WalOptions } from "../wal/wal.ts";
import {
  LogBehindStoreError,
  LogMissingError,
  WrongClusterError,
} from "./errors.ts";

/** Where the log of a new cluster begins; upstream's tests start here too. */
const FOUNDING_INDEX = 2;
const FOUNDING_TERM = 1;

export interface OpenLogOptions extends WalOptions {
  /** Members that found the cluster, if this data dir is new. */
  readonly voters: readonly RaftId[];
}

/**
 * Opens the log beside an opened store, or founds both in a new data dir.
 *
 * The log may be ahead of the store (the rest is applied again), never behind.
 *
 * @throws {LogMissingError} A store with records and no log.
 * @throws {WrongClusterError} Log and store do not belong together.
 * @throws {LogBehindStoreError} A log that ends below what the store applied.
 * @throws {NodeError} What the log refuses at its opening.
 */
export async function openLog(
  options: OpenLogOptions,
  store: BufferedStore,
): Promise<Wal> {
  const isThere = await Wal.exists(options);
  if (!isThere && store.state.applied.index > 0) {
    throw new LogMissingError(options.dir, store.state.applied.index);
  }
  const wal = isThere
    ? await Wal.open(options)
    : await Wal.create(options, { metadata: founding(options.voters) });
  try {
    await agree(wal, store);
  } catch (error) {
    await wal.close();
    throw error;
  }
  return wal;
}

async function agree(wal: Wal, store: BufferedStore): Promise<void> {
  const { storage } = wal;
  const first = storage.firstIndex() - 1;
  // A crash between founding the log and the store leaves the store at 0.
  if (store.state.applied.index === 0 && first === FOUNDING_INDEX) {
    const { confState } = storage.initialState();
    await store.commit({
      state: { ...store.state, applied: foundingPosition(), confState },
      mutations: [],
    });
  }
  checkCluster(wal, store);
  const applied = store.state.applied.index;
  const last = storage.lastIndex();
  if (applied < first || applied > last) {
    throw new LogBehindStoreError({ first, last, applied });
  }
}

/** The log has the id before the store does, and never another one. */
function checkCluster(wal: Wal, store: BufferedStore): void {
  const { clusterId } = store.state.fsm;
  if (clusterId === null) return;
  if (wal.clusterId !== null && equalBytes(wal.clusterId, clusterId)) return;
  const log = wal.clusterId === null ? "none" : toHex(wal.clusterId);
  throw new WrongClusterError(toHex(clusterId), log);
}

function foundingPosition(): { index: number; term: number } {
  return { index: FOUNDING_INDEX, term: FOUNDING_TERM };
}

function founding(voters: readonly RaftId[]): SnapshotMetadata {
  const confState: ConfState = {
    voters,
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  return { ...foundingPosition(), confState };
}
