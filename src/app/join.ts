import { makeAdminClient } from "../admin/client.ts";
import { formatAddress } from "../base/address.ts";
import { fromHex } from "../base/bytes.ts";
import type { JoinGrant } from "../node/begin.ts";
import { JoinRefusedError } from "../node/member_errors.ts";
import type { AppPorts, AppSecrets } from "./assemble.ts";
import type { NodeConfig } from "./config.ts";

const ANSWER_MS_MAX = 10_000;

/**
 * Asks the cluster behind `--join` what this node is to it.
 *
 * @throws {JoinRefusedError} It does not expect this node, or not this disk.
 * @throws {AdminUnreachableError} Nobody answers.
 */
export async function askToJoin(
  config: NodeConfig,
  secrets: AppSecrets,
  ports: AppPorts,
): Promise<JoinGrant> {
  const { node, join } = config;
  const { tlsCa } = secrets;
  const client = makeAdminClient({
    admin: (join ?? []).map(formatAddress).join(","),
    token: secrets.adminToken.reveal(),
    actor: `node:${node}`,
    isTls: secrets.tls !== null,
    timeoutMs: ANSWER_MS_MAX,
    http: ports.httpClient(tlsCa === null ? {} : { ca: tlsCa }),
    clock: ports.clock,
  });
  try {
    const status = await client.getStatus();
    const clusterId = fromHex(status.clusterId.replaceAll("-", ""));
    if (clusterId === null || clusterId.length === 0) {
      throw new JoinRefusedError(node, "the cluster has no leader yet");
    }
    const own = status.members.find(({ name }) => name === node);
    if (own === undefined) {
      throw new JoinRefusedError(
        node,
        "the cluster has no member of that name",
      );
    }
    if (own.hasStarted) {
      throw new JoinRefusedError(
        node,
        "it has taken part with another data dir",
      );
    }
    return {
      clusterId,
      id: Number(own.id),
      members: status.members.map((member) => ({
        id: Number(member.id),
        name: member.name,
        peerAddress: member.peerAddress,
        clientAddress: member.clientAddress,
        adminAddress: member.adminAddress,
        diskId: null,
        protocolVersion: 0,
        promoteWhenCaughtUp: false,
      })),
    };
  } finally {
    client.close();
  }
}
