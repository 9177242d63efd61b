import { openTransport } from "../transport/open_transport.ts";
import type { DialTls } from "../transport/parts.ts";
import type { Transport, TransportHost } from "../transport/port.ts";
import { probeMutualTls } from "../transport/mutual_tls_probe.ts";
import type { AppPorts, AppSecrets } from "./assemble.ts";
import type { NodeConfig } from "./config.ts";
import { PeerTokenProver } from "./peer_prover.ts";

/**
 * Opens the links to other members as the configuration wants them.
 *
 * @throws {MutualTlsUnsupportedError} `--peer-mtls` on a runtime that lets
 * everyone in.
 * @throws {ListenError}
 */
export async function openPeerLinks(
  host: TransportHost,
  { config, secrets, ports }: {
    readonly config: NodeConfig;
    readonly secrets: AppSecrets;
    readonly ports: AppPorts;
  },
): Promise<Transport> {
  const { clock, random, log, mutualTlsNet } = ports;
  const { peerListen, peerMtls } = config;
  const { tls, tlsCa } = secrets;
  const base = { clock, random, log, host };
  const prover = new PeerTokenProver(secrets.peerToken.reveal());
  if (tls === null) {
    const { net } = ports;
    return await openTransport({ ...base, net, prover, listen: peerListen });
  }
  const ca = tlsCa === null ? {} : { ca: tlsCa };
  if (!peerMtls || tlsCa === null) {
    const { net } = ports;
    const dialTls: DialTls = ca;
    const listen = { ...peerListen, tls };
    return await openTransport({ ...base, net, prover, listen, dialTls });
  }
  const net = mutualTlsNet();
  const ownTls = { ...tls, clientCa: tlsCa };
  const serverName = (config.peerAdvertise ?? peerListen).hostname;
  await probeMutualTls({ net, clock, tls: ownTls, serverName });
  return await openTransport({
    ...{ ...base, net, prover },
    listen: { ...peerListen, tls: ownTls },
    dialTls: { ...ca, ...tls },
  });
}
