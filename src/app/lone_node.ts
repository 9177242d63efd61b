import { MemberChangeRefusedError } from "../node/member_errors.ts";
import type { Node } from "../node/node.ts";
import type { NodePort, OperatorPort } from "../node/port.ts";
import type { NodeMetricsSource } from "./node_metrics.ts";

/** What operators can do through a node that is its own cluster: look. */
export function loneOperator(
  node: NodePort,
): Pick<NodePort, "status"> & OperatorPort {
  const refused = () =>
    new MemberChangeRefusedError("this version runs one member");
  return {
    status: () => node.status(),
    changeMembers: () => Promise.reject(refused()),
    watchStatus: () => ({ cancel() {} }),
    // deno-lint-ignore require-yield -- it has nothing to give yet.
    async *backup() {
      throw refused();
    },
  };
}

/** What there is to count of a node that is its own cluster. */
export function loneMetrics(node: Node): NodeMetricsSource {
  return {
    status: () => node.status(),
    raft: null,
    wal: () => node.counters().wal,
    store: () => node.counters().store,
    transport: null,
  };
}
