import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { type KeyId, type KeyPurpose, NO_KEY } from "../../base/data_key.ts";
import type { EncryptionState, Member } from "../../fsm/types.ts";
import { type Custody, openCustody } from "../../keys/custody.ts";
import type { Kek } from "../../keys/port.ts";
import { dataDirPaths } from "../../node/data_dir.ts";
import { drawClusterId, foundingMembers } from "../../node/founding.ts";
import type { CheckpointState } from "../../store/meta.ts";
import { BackupCleartextError, BackupDamagedError } from "./errors.ts";
import { type BackupFacts, backupFacts } from "./facts.ts";
import { firstIndexAfter, type FirstKeys, newLineage } from "./lineage.ts";
import {
  makeDataDir,
  mustBeEmpty,
  type NewDataDirPorts,
} from "./new_data_dir.ts";
import { type BackupFile, withBackup } from "./open_backup.ts";

export interface RestoreOptions {
  readonly path: string;
  readonly dataDir: string;
  readonly node: string;
  /** Open the backup's keys and wrap the new ones; may be none. */
  readonly keks: readonly Kek[];
  /** The node is to take part in encryption. */
  readonly isEncrypting: boolean;
  /** `null`: the backup's. */
  readonly clusterName: string | null;
  readonly acceptsCleartext: boolean;
}

export interface RestoreOutcome {
  readonly backup: BackupFacts;
  readonly dataDir: string;
  readonly node: string;
  readonly clusterId: Bytes;
  readonly clusterName: string;
  /** Versionstamps of the new cluster come after it. */
  readonly firstIndex: number;
  /** Ids of the new keys; `null` when the backup has none. */
  readonly keys: Readonly<Record<KeyPurpose, KeyId>> | null;
  /** All records are sealed, and whatever else the old cluster had come to. */
  readonly isSealed: boolean;
}

/**
 * Founds a new cluster with the records of a backup: another cluster id, keys
 * drawn anew if the backup had any, one member, and an index that none of its
 * versionstamps comes near.
 *
 * @throws {RestoreTargetInUseError}
 * @throws {BackupCleartextError}
 * @throws {BackupKeysMissingError}
 * @throws {BackupDamagedError}
 * @throws {NodeError} What the disk and the KEKs throw. Nothing is left then.
 */
export async function restoreBackup(
  ports: NewDataDirPorts,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  await mustBeEmpty(ports.disk, options.dataDir);
  return await withBackup(ports.disk, options.path, async (backup) => {
    const { header: { state: head } } = await backup.header();
    mustBeAllowed(head.fsm.encryption, options);
    const opened = await backup.open(options.keks);
    const { state, records, bytes } = await opened.verify();
    mustHaveKeks(backup, state, options.keks);
    const founded = await found(ports, options, { backup, state });
    const reader = await opened.reader();
    await makeDataDir(ports, {
      ...{ dataDir: options.dataDir, node: options.node },
      custody: founded.custody,
      source: {
        state: founded.state,
        records: () => opened.recordsOf(reader),
        close: () => reader.close(),
      },
    });
    const databases = state.fsm.databases.size;
    const facts = backupFacts(state, {
      ...{ path: options.path, bytes, records, databases, verified: "all" },
    });
    return outcomeOf(options, founded.state, facts);
  });
}

/** Nothing vouches for a backup in cleartext. */
function mustBeAllowed(
  { storageCutoverIndex }: EncryptionState,
  { path, keks, isEncrypting, acceptsCleartext }: RestoreOptions,
): void {
  if (storageCutoverIndex > 0 || acceptsCleartext) return;
  if (isEncrypting || keks.length > 0) throw new BackupCleartextError(path);
}

/** New keys are wrapped under something. */
function mustHaveKeks(
  backup: BackupFile,
  state: CheckpointState,
  keks: readonly Kek[],
): void {
  const { stateKey } = state.fsm.encryption;
  if (stateKey === NO_KEY || keks.length > 0) return;
  throw backup.keysMissing(state, stateKey, keks);
}

interface Founded {
  readonly state: CheckpointState;
  readonly custody: Custody | null;
}

async function found(
  ports: NewDataDirPorts,
  { node, dataDir, keks, clusterName }: RestoreOptions,
  { backup, state }: {
    readonly backup: BackupFile;
    readonly state: CheckpointState;
  },
): Promise<Founded> {
  const firstIndex = firstIndexAfter(state);
  if (firstIndex === null) {
    const damage = { fault: "an index that no cluster reaches", offset: 0 };
    throw new BackupDamagedError(backup.path, damage);
  }
  const clusterId = drawClusterId(ports.random);
  const { encryption } = state.fsm;
  const custody = encryption.stateKey === NO_KEY ? null : await openCustody({
    ...{ disk: ports.disk, dir: dataDirPaths(dataDir).encryption, node },
    ...{ random: ports.random, keks: [...keks] },
    ...{ isEnabled: true, sidecar: null },
  });
  const keys = custody === null
    ? null
    : await drawKeys(ports, custody, { clusterId, encryption });
  const [member] = foundingMembers([{ name: node, address: "" }]);
  const lineage = {
    ...{ clusterId, keys, member: present<Member>(member, "a founder") },
    clusterName: clusterName ?? state.fsm.clusterName,
  };
  return { custody, state: newLineage(state, firstIndex, lineage) };
}

async function drawKeys(
  { clock }: NewDataDirPorts,
  custody: Custody,
  { clusterId, encryption }: {
    readonly clusterId: Bytes;
    readonly encryption: EncryptionState;
  },
): Promise<FirstKeys> {
  const drawn = new Set<KeyId>();
  const draw = async (purpose: KeyPurpose) => {
    const key = await custody.drawKey({
      ...{ clusterId, purpose, createdMs: clock.wallMs() },
      // No id of the old cluster's either: people would mistake them.
      taken: (id) =>
        drawn.has(id) || encryption.keys.has(id) || encryption.retired.has(id),
    });
    drawn.add(key.id);
    return key;
  };
  return {
    storage: await draw("storage"),
    raft: await draw("raft"),
    state: await draw("state"),
  };
}

function outcomeOf(
  { dataDir, node }: RestoreOptions,
  { applied, fsm }: CheckpointState,
  backup: BackupFacts,
): RestoreOutcome {
  const { active, stateKey, storageCutoverIndex } = fsm.encryption;
  return {
    ...{ backup, dataDir, node },
    clusterId: present(fsm.clusterId, "a lineage's cluster id"),
    clusterName: fsm.clusterName,
    firstIndex: applied.index,
    keys: stateKey === NO_KEY ? null : { ...active, state: stateKey },
    isSealed: storageCutoverIndex > 0,
  };
}
