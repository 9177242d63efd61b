import { type Bytes, equalBytes, toHex } from "../base/bytes.ts";
import { EPOCH_MAX, type KeyId } from "../base/data_key.ts";
import { fullNodeId } from "../base/identity.ts";
import { decodeEncryptionState } from "../fsm/encryption_codec.ts";
import { ownRow } from "../fsm/encryption_writers.ts";
import { type EncryptionState, NO_ENCRYPTION } from "../fsm/types.ts";
import type { Clock } from "../io/clock.ts";
import { openCustody } from "../keys/custody.ts";
import { openDataKey } from "../keys/data_key.ts";
import { EpochExhaustedError } from "../keys/errors.ts";
import type { Kek } from "../keys/port.ts";
import type { SidecarFound } from "../keys/sidecar.ts";
import { sidecarPath } from "../keys/sidecar_file.ts";
import { dataDirPaths } from "../node/data_dir.ts";
import { NotBootstrappedError } from "../node/encryption/change_errors.ts";
import { IdentityDamagedError, WrongClusterError } from "../node/errors.ts";
import { KekRequiredError } from "../node/guards/errors.ts";
import type { Reading } from "../node/guards/facts.ts";
import type { GatherPorts } from "../node/guards/gather.ts";
import type { KeySettings } from "../node/guards/open_keys.ts";
import { type Parts, readParts } from "../node/guards/parts.ts";
import { WrongNodeError } from "../node/member_errors.ts";
import type { StorePeek } from "../store/peek.ts";
import { holdDataDir } from "./hold_data_dir.ts";
import { keepOldFile } from "./keep_old_file.ts";
import { verifyStoreState } from "./verify_store_state.ts";
import { knownOf } from "../node/guards/reading.ts";

const NO_KEYS_REMEDY =
  "Ask the leader as well, with --admin ADDR; a node of a cluster that has no data keys needs no sidecar: `sealkv doctor --data-dir D` says what else is wrong";

/** A state as the leader exports it. */
export interface LeaderState {
  /** 16 bytes; empty for a cluster without a name yet. */
  readonly clusterId: Bytes;
  /** As `encodeEncryptionState` gives it. */
  readonly state: Bytes;
}

export interface ResyncPorts extends GatherPorts {
  readonly clock: Clock;
}

export interface ResyncOptions {
  readonly dataDir: string;
  /** `null`: whoever the data dir is of. */
  readonly node: string | null;
  readonly keys: KeySettings;
  /** Asks the leader; `null`: the store is all there is. */
  readonly fetchState: (() => Promise<LeaderState>) | null;
}

export interface ResyncOutcome {
  readonly node: string;
  readonly path: string;
  /** Whose state the sidecar was made from. */
  readonly source: "store" | "leader";
  readonly stateIndex: number;
  readonly epochs: ReadonlyMap<KeyId, number>;
  /** Where the old sidecar is; `null`: there was none. */
  readonly keptAs: string | null;
}

/** The data dir of a stopped node, as far as a resync needs it. */
interface Found {
  readonly node: string;
  /** `null` before the cluster has one. */
  readonly clusterId: Bytes | null;
  readonly store: StorePeek | null;
  /** `null`: none, or one that does not parse. */
  readonly sidecar: SidecarFound | null;
}

/**
 * Makes the sidecar of a stopped node anew, from its store or from the leader's
 * state if that is newer, with epochs above all that is known. The old file
 * stays beside it under another name.
 *
 * @throws {NodeError} What stands in the way; nothing was changed.
 */
export async function resyncSidecar(
  ports: ResyncPorts,
  options: ResyncOptions,
): Promise<ResyncOutcome> {
  const lock = await holdDataDir(ports.disk, options.dataDir);
  try {
    const parts = await readParts(ports, options.dataDir);
    return await resync(ports, options, foundIn(parts, options));
  } finally {
    await lock.release();
  }
}

async function resync(
  { disk, random, clock }: ResyncPorts,
  { dataDir, keys, fetchState }: ResyncOptions,
  found: Found,
): Promise<ResyncOutcome> {
  const { node } = found;
  if (keys.kekCount === 0) throw new KekRequiredError({ dataDir, node });
  const keks = await keys.openKeks();
  const own = await ownState(found, keks);
  const leader = fetchState === null
    ? NO_ENCRYPTION
    : leaderState(found, await fetchState());
  const source = leader.stateIndex > own.stateIndex ? "leader" : "store";
  const state = source === "leader" ? leader : own;
  const { clusterId } = found;
  if (clusterId === null || state.keys.size === 0) {
    throw new NotBootstrappedError("make a sidecar", NO_KEYS_REMEDY);
  }
  // What cannot be done shows before anything changes.
  const floor = (keyId: KeyId) => highestEpoch(found, [own, leader], keyId);
  const { storage, raft } = state.active;
  const spent = [storage, raft].find((keyId) => floor(keyId) === EPOCH_MAX);
  if (spent !== undefined) throw new EpochExhaustedError(spent);
  const known = [...state.keys.values()];
  for (const key of known) await openDataKey({ clusterId, keks, known }, key);
  const dir = dataDirPaths(dataDir).encryption;
  const path = sidecarPath(dir);
  const keptAs = await keepOldFile(disk, path, clock.wallMs());
  const custody = await openCustody({
    ...{ disk, dir, node, random, keks: [...keks] },
    ...{ isEnabled: true, sidecar: null },
  });
  await custody.absorb(clusterId, state, floor);
  const { stateIndex } = state;
  return { node, path, source, stateIndex, keptAs, epochs: custody.epochs() };
}

function foundIn(parts: Parts, { dataDir, node }: ResyncOptions): Found {
  const log = valueOf(parts.log);
  const store = valueOf(parts.store);
  const owner = valueOf(parts.identity) ?? log?.node ?? null;
  if (owner === null) {
    throw new IdentityDamagedError(dataDirPaths(dataDir).identity);
  }
  if (node !== null && node !== owner) throw new WrongNodeError(node, owner);
  const stored = store?.state.fsm.clusterId ?? null;
  const logged = log?.clusterId ?? null;
  if (stored !== null && logged !== null && !equalBytes(stored, logged)) {
    throw new WrongClusterError([
      { part: "the store", clusterId: toHex(stored) },
      { part: "the log", clusterId: toHex(logged) },
    ]);
  }
  const clusterId = stored ?? logged;
  return { node: owner, clusterId, store, sidecar: knownOf(parts.sidecar) };
}

function valueOf<Value>(reading: Reading<Value>): Value | null {
  if (reading.kind === "failed") throw reading.error;
  return knownOf(reading);
}

/** What the store says, once its MAC holds. */
async function ownState(
  { node, store }: Found,
  keks: readonly Kek[],
): Promise<EncryptionState> {
  if (store === null) return NO_ENCRYPTION;
  await verifyStoreState({ node, keks }, store.state);
  return store.state.fsm.encryption;
}

function leaderState(
  { clusterId }: Found,
  leader: LeaderState,
): EncryptionState {
  if (clusterId === null || !equalBytes(clusterId, leader.clusterId)) {
    const own = clusterId === null ? "none" : toHex(clusterId);
    throw new WrongClusterError([
      { part: "the data dir", clusterId: own },
      { part: "the leader", clusterId: toHex(leader.clusterId) },
    ]);
  }
  return decodeEncryptionState(leader.state);
}

/** By the old sidecar, the registries, and the sessions in the store. */
function highestEpoch(
  { node, clusterId, store, sidecar }: Found,
  states: readonly EncryptionState[],
  keyId: KeyId,
): number {
  const own = fullNodeId(node);
  const isOwn = sidecar?.node === node && clusterId !== null &&
    equalBytes(sidecar.clusterId, clusterId);
  return Math.min(
    EPOCH_MAX,
    Math.max(
      isOwn ? sidecar.epochs.get(keyId) ?? 0 : 0,
      store?.sessionEpochs.get(keyId) ?? 0,
      ...states.map((state) => ownRow(state, keyId, own)?.lastEpoch ?? 0),
    ),
  );
}
