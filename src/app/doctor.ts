import { DiskNotFoundError } from "../io/errors.ts";
import { dataDirPaths } from "../node/data_dir.ts";
import {
  gatherFacts,
  type GatherOptions,
  type GatherPorts,
  lockedFacts,
} from "../node/guards/gather.ts";
import { allFindings, type GuardFinding } from "../node/guards/guards.ts";

/** What the startup guards say of a stopped node. */
export interface DoctorReport {
  readonly dataDir: string;
  /** Name that it would start under. */
  readonly node: string;
  /** One for each guard, in their order. */
  readonly findings: readonly GuardFinding[];
}

/**
 * Lets every startup guard speak about a data dir, which stays as it is.
 *
 * @throws {DiskNotFoundError} When there is no such data dir.
 */
export async function runDoctor(
  ports: GatherPorts,
  given: Omit<GatherOptions, "isThorough">,
): Promise<DoctorReport> {
  const options = { ...given, isThorough: true };
  const { dataDir } = options;
  const { root, lock: path } = dataDirPaths(dataDir);
  if (!await ports.disk.exists(root)) {
    throw new DiskNotFoundError("list", root);
  }
  const lock = await ports.disk.lock(path);
  if (lock === null) {
    const facts = lockedFacts(options);
    return { dataDir, node: facts.node, findings: allFindings(facts) };
  }
  try {
    const { facts } = await gatherFacts(ports, options);
    return { dataDir, node: facts.node, findings: allFindings(facts) };
  } finally {
    await lock.release();
  }
}
