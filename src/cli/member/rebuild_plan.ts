import type {
  AdminClient,
  ChangeOptions,
  ChangeOutcome,
  ClusterMember,
  ClusterStatus,
} from "../../admin/client.ts";
import type { DataDirRebuild, RebuildRecord } from "../../app/rebuild.ts";
import { InputInvalidError, MemberRunningError } from "../errors.ts";
import { startLine } from "./start_line.ts";

export interface RebuildRequest {
  readonly node: string;
  readonly dataDir: string;
  readonly peer?: string | undefined;
  readonly deleteOld?: true | undefined;
  readonly admin: string;
}

/** What is left to do of a rebuild, wherever an earlier run was cut short. */
export interface RebuildPlan {
  readonly record: RebuildRecord;
  /** Steps after those that the cluster plans. */
  readonly after: readonly string[];
  /** The command that starts the new member. */
  readonly start: string;
  /** A dry run of the first change of the cluster that is left. */
  clusterPart(
    client: AdminClient,
    terms: ChangeOptions,
  ): Promise<ChangeOutcome>;
  /** Makes the changes that are left; returns the new raft id. */
  change(client: AdminClient, terms: ChangeOptions): Promise<bigint>;
}

const NOTHING_TO_CHANGE: ChangeOutcome = {
  plan: { hash: "", steps: [] },
  changed: false,
  memberId: 0n,
};

/**
 * Looks at what the cluster knows: a member that has started is the old one and
 * goes; one that never did is the new one already.
 *
 * @throws {MemberRunningError}
 * @throws {InputInvalidError} When nobody knows its peer address.
 */
export function planRebuild(
  { members }: ClusterStatus,
  local: DataDirRebuild,
  request: RebuildRequest,
): RebuildPlan {
  const { node, dataDir, admin } = request;
  const found = members.find(({ name }) => name === node);
  if (found?.up) throw new MemberRunningError(node);
  const record = recordOf(request, local, found);
  const { peerAddress, promote } = record;
  const isOld = found?.hasStarted ?? false;
  const added = { name: node, peerAddress, promote };
  const start = startLine({ node, dataDir, peerAddress, admin });
  return {
    record,
    start,
    after: [
      ...isOld ? [addStep(record)] : [],
      localStep(local, request),
      `start it, with its other settings: ${start}`,
    ],
    async clusterPart(client, terms) {
      const dry = { ...terms, dryRun: true };
      if (isOld) return await client.removeMember(node, dry);
      if (found === undefined) return await client.addMember(added, dry);
      return NOTHING_TO_CHANGE;
    },
    async change(client, terms) {
      if (!isOld && found !== undefined) return found.id;
      if (isOld) await client.removeMember(node, terms);
      // The plan that was looked at is of the first change alone.
      const { planHash = "" } = terms;
      const { memberId } = await client.addMember(added, {
        planHash: isOld ? "" : planHash,
      });
      return memberId;
    },
  };
}

/** What an earlier run knew wins: the cluster may have forgotten it since. */
function recordOf(
  { node, peer }: RebuildRequest,
  { record }: DataDirRebuild,
  found: ClusterMember | undefined,
): RebuildRecord {
  const known = record?.peerAddress ?? found?.peerAddress ?? "";
  const peerAddress = peer ?? known;
  if (peerAddress === "") {
    throw new InputInvalidError(
      "--peer",
      `the cluster knows no peer address of "${node}": it is not given`,
      "Give what other members dial: --peer HOST:PORT",
    );
  }
  const promote = record?.promote ?? found?.isVoter ?? true;
  return { node, peerAddress, promote };
}

function addStep({ node, peerAddress, promote }: RebuildRecord): string {
  const end = promote ? ", a voter when it has caught up" : "";
  return `add ${node} at ${peerAddress} as a new learner${end}`;
}

function localStep(
  { names, oldSuffix }: DataDirRebuild,
  { dataDir, deleteOld }: RebuildRequest,
): string {
  if (names.length === 0) return `nothing is in the way in ${dataDir}`;
  const list = `${names.join(", ")} in ${dataDir}`;
  return deleteOld === true
    ? `remove ${list}`
    : `rename ${list}: append ${oldSuffix}`;
}
