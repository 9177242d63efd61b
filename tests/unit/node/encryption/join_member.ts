import type { JoinGrant } from "../../../../src/node/begin.ts";
import type { MemberRequest } from "../../../../src/node/port.ts";
import type { TestCluster } from "../test_cluster.ts";

const TERMS = { dryRun: false, planHash: "", confirm: "test", accept: [] };

/**
 * Adds `name` through the leader of `others` and starts it on empty disks, as
 * `sealkv member add` and `serve --join` do; it is not awaited.
 */
export async function joinMember(
  cluster: TestCluster,
  name: string,
  { others = cluster.names(), promote = true } = {},
): Promise<void> {
  const node = cluster.node(await cluster.leader(others));
  const request: MemberRequest = {
    ...{ kind: "add", name, promote },
    peerAddress: `${name}:1`,
  };
  await cluster.clock.until(node.changeMembers(request, TERMS));
  const { clusterId, members } = node.status();
  const own = members.find((member) => member.name === name)!;
  const grant: JoinGrant = {
    clusterId: clusterId!,
    id: own.id,
    members: members.map((member) => ({
      ...member,
      diskId: null,
      protocolVersion: 0,
      promoteWhenCaughtUp: false,
    })),
  };
  const join = () => Promise.resolve(grant);
  await cluster.open(name, { initialCluster: null, join });
}
