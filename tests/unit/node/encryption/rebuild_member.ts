import type { JoinGrant } from "../../../../src/node/begin.ts";
import type { MemberRequest } from "../../../../src/node/port.ts";
import type { TestCluster } from "../test_cluster.ts";

/**
 * Rebuilds `name` as a new member of its old name, on empty disks, as
 * `sealkv member rebuild` and `serve --join` do; it is not awaited.
 */
export async function rebuildMember(
  cluster: TestCluster,
  name: string,
): Promise<void> {
  const others = cluster.names().filter((one) => one !== name);
  await cluster.stop(name);
  cluster.discard(name);
  const node = cluster.node(await cluster.leader(others));
  const terms = { dryRun: false, planHash: "", confirm: "test", accept: [] };
  const change = (request: MemberRequest) =>
    cluster.clock.until(node.changeMembers(request, terms));
  await change({ kind: "remove", name });
  const peerAddress = `${name}:1`;
  await change({ kind: "add", name, peerAddress, promote: true });
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
