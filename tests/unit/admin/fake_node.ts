import type { EventLog } from "../../../src/io/log.ts";
import type { NodePort, NodeStatus } from "../../../src/node/port.ts";

export const STATUS: NodeStatus = {
  cluster: "prod-eu-1",
  clusterId: Uint8Array.from({ length: 16 }, (_, i) => i),
  node: "n1",
  leader: "n1",
  term: 7,
  commit: 2 ** 53 - 1,
  applied: 812_344,
  phase: 0,
  ready: true,
  members: [{
    id: 1,
    isVoter: true,
    replication: "unknown",
    peerAddress: "127.0.0.1:4513",
    clientAddress: "127.0.0.1:4512",
    adminAddress: "127.0.0.1:4514",
    hasStarted: true,
    name: "n1",
    role: "leader",
    up: true,
    ready: true,
    lag: 0,
    applied: 812_344,
    phase: 0,
  }],
};

/** A node that answers `status` and nothing else. */
export function fakeNode(status: () => NodeStatus = () => STATUS): NodePort {
  const never = () => {
    throw new Error("not part of this test");
  };
  return {
    clusterId: () => status().clusterId,
    write: never,
    read: never,
    watch: never,
    status,
    onStop: () => ({ cancel() {} }),
  };
}

/** Keeps events as "level event" for assertions. */
export function recordingLog(): EventLog & { readonly events: string[] } {
  const events: string[] = [];
  return {
    events,
    write: (level, event) => void events.push(`${level} ${event}`),
  };
}
