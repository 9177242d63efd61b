import { equalConstantTime } from "../../crypto/constant_time.ts";
import type { Disk } from "../../io/disk.ts";
import type { Random } from "../../io/random.ts";
import { type Custody, openCustody } from "../../keys/custody.ts";
import type { Kek } from "../../keys/port.ts";
import { encryptionRowBody } from "../../store/encryption_row.ts";
import { StateTamperedError } from "../../store/errors.ts";
import type { StorePeek } from "../../store/peek.ts";
import { dataDirPaths } from "../data_dir.ts";
import type { Reading } from "./facts.ts";
import type { Parts } from "./parts.ts";
import { attempt, knownOf, UNREAD } from "./reading.ts";

/** What a node is told about encryption. */
export interface KeySettings {
  readonly isEnabled: boolean;
  /** KEKs that are configured. */
  readonly kekCount: number;
  /** Loads all of them, the primary one first. @throws {NodeError} */
  openKeks(): Promise<readonly Kek[]>;
}

/** A node that knows of no encryption. */
export const NO_KEYS: KeySettings = {
  isEnabled: false,
  kekCount: 0,
  openKeks: () => Promise.resolve([]),
};

export interface OpenKeysOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly dataDir: string;
  readonly node: string;
  readonly isEnabled: boolean;
  readonly sidecar: Parts["sidecar"];
}

/** Opens the sidecar's keys with `keks`; its epochs stay as they are. */
export async function openKeys(
  options: OpenKeysOptions,
  keks: Reading<readonly Kek[]>,
): Promise<Reading<Custody>> {
  const { disk, random, dataDir, node, isEnabled, sidecar } = options;
  if (keks.kind !== "known" || sidecar.kind !== "known") return UNREAD;
  const found = sidecar.value;
  // Other guards speak of these: no KEK could say more.
  const isForeign = found !== null && found.node !== node;
  if (isForeign || (found !== null && keks.value.length === 0)) return UNREAD;
  return await attempt(() =>
    openCustody({
      ...{ disk, dir: dataDirPaths(dataDir).encryption, node, random },
      ...{ isEnabled, keks: [...keks.value], sidecar: found },
    })
  );
}

/** Whether the store's encryption state is as this node wrote it. */
export async function checkStoreMac(
  store: Reading<StorePeek | null>,
  sidecar: Parts["sidecar"],
  custody: Custody | null,
): Promise<Reading<"holds">> {
  if (store.kind !== "known") return UNREAD;
  const state = store.value?.state;
  if (state === undefined || state.fsm.encryption.keys.size === 0) {
    return { kind: "known", value: "holds" };
  }
  if (custody === null || knownOf(sidecar) === null) return UNREAD;
  const { encryption, clusterId } = state.fsm;
  const { encryptionMac } = state;
  return await attempt(async () => {
    const isSound = clusterId !== null && encryptionMac !== null &&
      equalConstantTime(
        await custody.stateMac(clusterId, encryptionRowBody(encryption)),
        encryptionMac,
      );
    if (!isSound) throw new StateTamperedError(encryption.stateIndex);
    return "holds" as const;
  });
}
