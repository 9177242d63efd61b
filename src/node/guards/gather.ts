import type { Random } from "../../io/random.ts";
import type { Custody } from "../../keys/custody.ts";
import { probeFilesystem } from "../../keys/sidecar_file.ts";
import { dataDirPaths } from "../data_dir.ts";
import type { GuardFacts } from "./facts.ts";
import { refusalBefore } from "./guards.ts";
import { checkStoreMac, type KeySettings, openKeys } from "./open_keys.ts";
import { type PartPorts, type Parts, readParts, storeFacts } from "./parts.ts";
import { attempt, knownOf, UNREAD, viewed } from "./reading.ts";

/** What facts are read with. */
export interface GatherPorts extends PartPorts {
  readonly random: Random;
}

export interface GatherOptions {
  readonly dataDir: string;
  /** `null`: whoever the data dir is of. */
  readonly node: string | null;
  /** Members that a new cluster is to begin with; none unless given. */
  readonly founders?: readonly string[];
  readonly keys: KeySettings;
  /**
   * Loads KEKs and probes the disk also where an earlier guard refuses: for
   * who wants to hear all of them.
   */
  readonly isThorough: boolean;
}

export interface Gathered {
  readonly facts: GuardFacts;
  /** With all keys open and epochs as they were; `null` when one does not. */
  readonly custody: Custody | null;
}

/** Of a node that is told none. */
const NODE_DEFAULT = "n1";

/**
 * Reads what guards look at, in a data dir that is held and stays as it is;
 * only the probe of the file system makes a file, and removes it.
 */
export async function gatherFacts(
  ports: GatherPorts,
  options: GatherOptions,
): Promise<Gathered> {
  const { disk, random } = ports;
  const { dataDir, keys, isThorough } = options;
  const { isEnabled } = keys;
  const parts = await readParts(ports, dataDir);
  const read = factsOf(parts, options);
  const isOpen = (guard: string, facts: GuardFacts) =>
    isThorough || refusalBefore(guard, facts) === null;
  const keks = isOpen("InsecureKekFile", read)
    ? await attempt(() => keys.openKeks())
    : UNREAD;
  const loaded = {
    ...read,
    keks: viewed(keks, (list) => list.map(({ id }) => id)),
  };
  const filesystem = isOpen("UnsupportedFilesystem", loaded)
    ? await attempt(() => probe(ports, options))
    : UNREAD;
  const { sidecar } = parts;
  const place = { disk, random, dataDir, node: read.node, isEnabled, sidecar };
  const custody = await openKeys(place, keks);
  const opened = knownOf(custody);
  return {
    facts: {
      ...loaded,
      filesystem,
      custody: viewed(custody, () => "opened" as const),
      storeMac: await checkStoreMac(parts.store, sidecar, opened),
    },
    custody: opened,
  };
}

/** The facts of a data dir that another process holds. */
export function lockedFacts(options: GatherOptions): GuardFacts {
  const parts: Parts = {
    ...{ identity: UNREAD, log: UNREAD, sidecar: UNREAD },
    ...{ store: UNREAD, checkpoint: UNREAD },
  };
  return { ...factsOf(parts, options), isLocked: true };
}

function factsOf(
  parts: Parts,
  { dataDir, node, founders = [], keys }: GatherOptions,
): GuardFacts {
  const { identity, log, sidecar, checkpoint } = parts;
  const { isEnabled, kekCount } = keys;
  const owner = knownOf(identity) ?? knownOf(log)?.node ?? null;
  return {
    ...{ dataDir, node: node ?? owner ?? NODE_DEFAULT, founders },
    ...{ isEnabled, kekCount },
    ...{ isLocked: false, identity, log, sidecar, checkpoint },
    store: viewed(
      parts.store,
      (peek) => peek === null ? null : storeFacts(peek),
    ),
    ...{ keks: UNREAD, filesystem: UNREAD, custody: UNREAD, storeMac: UNREAD },
  };
}

async function probe(
  { disk }: GatherPorts,
  { dataDir, keys }: GatherOptions,
): Promise<"fit" | "not needed"> {
  if (!keys.isEnabled) return "not needed";
  const { encryption } = dataDirPaths(dataDir);
  const isThere = await disk.exists(encryption);
  await probeFilesystem(disk, encryption);
  if (!isThere) {
    await disk.remove(encryption);
    await disk.syncDir(dataDir);
  }
  return "fit";
}
