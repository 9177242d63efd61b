import type { TestCluster } from "../test_cluster.ts";
import { joinMember } from "./join_member.ts";

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
  const removed = node.changeMembers({ kind: "remove", name }, terms);
  await cluster.clock.until(removed);
  await joinMember(cluster, name, { others });
}
