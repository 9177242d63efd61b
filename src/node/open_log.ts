import { equalBytes, toHex } from "../base/bytes.ts";
import {
  type LogIndex,
  NO_MEMBER,
  type SnapshotMetadata,
} from "../raft/types.ts";
import type { BufferedStore } from "../store/buffered_store.ts";
import { Wal, type WalOptions } from "../wal/wal.ts";
import {
  LogBehindStoreError,
  LogMissingError,
  WrongClusterError,
} from "./errors.ts";

export interface OpenLogOptions extends WalOptions {
  /** What the log of a new data dir starts from; index 0 for one that joins. */
  readonly founding: SnapshotMetadata;
  /** Index of the checkpoint that the store came from; 0 for none. */
  readonly installedIndex: LogIndex;
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
    : await Wal.create(options, { metadata: options.founding });
  try {
    await finishInstall(wal, store, options);
    await agree(wal, store, options.founding);
  } catch (error) {
    await wal.close();
    throw error;
  }
  return wal;
}

/**
 * A crash between a checkpoint's two halves leaves its store in place and the
 * log where it was: the log restarts at the store, as it was about to.
 */
async function finishInstall(
  wal: Wal,
  store: BufferedStore,
  { installedIndex, log }: OpenLogOptions,
): Promise<void> {
  const { applied, confState, fsm } = store.state;
  if (applied.index !== installedIndex || installedIndex === 0) return;
  const known = wal.storage.term(applied.index);
  // A log that reaches further may still hold what never was committed.
  if (known === applied.term || known === "compacted") return;
  if (wal.clusterId === null && fsm.clusterId !== null) {
    await wal.setClusterId(fsm.clusterId);
  }
  const { hardState: prior } = wal.storage.initialState();
  // What it heard of a later term may have been lost, its own vote not.
  const hardState = prior.term >= applied.term
    ? prior
    : { term: applied.term, vote: NO_MEMBER, commit: applied.index };
  const snapshot = { ...applied, confState };
  await wal.append({ hardState, snapshot, entries: [], mustSync: true });
  log.write("info", "checkpoint_install_finished", { index: applied.index });
}

async function agree(
  wal: Wal,
  store: BufferedStore,
  founding: SnapshotMetadata,
): Promise<void> {
  const { storage } = wal;
  const first = storage.firstIndex() - 1;
  // A crash between founding the log and the store leaves the store at 0.
  if (store.state.applied.index === 0 && first === founding.index) {
    const { confState } = storage.initialState();
    const { index, term } = founding;
    await store.commit({
      state: { ...store.state, applied: { index, term }, confState },
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
  throw new WrongClusterError([
    { part: "the store", clusterId: toHex(clusterId) },
    { part: "the log", clusterId: log },
  ]);
}
