import { adminHandler } from "../admin/handler.ts";
import { toHex, utf8 } from "../base/bytes.ts";
import { MetricRegistry } from "../base/metrics.ts";
import { equalConstantTime } from "../crypto/constant_time.ts";
import { sha256 } from "../crypto/sha256.ts";
import type { Files } from "../io/files.ts";
import type { HttpListener, HttpServerPort } from "../io/http.ts";
import type { Net, NetListener } from "../io/net.ts";
import type { ProcessPort } from "../io/process.ts";
import { KvConnectServer } from "../kvconnect/server.ts";
import type { Node } from "../node/node.ts";
import { type NodePorts, openNode } from "../node/open_node.ts";
import { type Address, formatAddress } from "../base/address.ts";
import type { NodeConfig } from "./config.ts";
import { loneMetrics, loneOperator } from "./lone_node.ts";
import { registerNodeMetrics } from "./node_metrics.ts";
import type { RunningNode } from "./running_node.ts";
import type { Token } from "./secrets.ts";
import { AccessTokenSigner } from "./token_signer.ts";

/** The world as a served node needs it. */
export interface AppPorts extends NodePorts {
  readonly http: HttpServerPort;
  readonly net: Net;
  readonly files: Files;
  readonly process: ProcessPort;
  /** Lets go of what the ports hold, after the node has closed. */
  close(): Promise<void>;
}

export interface AppSecrets {
  readonly accessToken: Token;
  readonly adminToken: Token;
  /** What members prove to each other. */
  readonly peerToken: Token;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** PEM: authorities for what this node dials; `null`: the system's. */
  readonly tlsCa: string | null;
}

/** How long a stopping node lets requests end before it cuts them. */
const SHUTDOWN_GRACE_MS = 5_000;

/**
 * Opens the data dir, waits until the node serves, then opens the listeners:
 * clients never meet a node that cannot answer.
 *
 * @throws {NodeError} What refused; everything is closed then.
 */
export async function assemble(
  config: NodeConfig,
  secrets: AppSecrets,
  ports: AppPorts,
): Promise<RunningNode> {
  const failure = Promise.withResolvers<unknown>();
  const closers: (() => Promise<unknown>)[] = [() => ports.close()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const fail = (error: unknown) => {
    ports.log.write("error", "node_failed", { reason: String(error) });
    close().then(() => failure.resolve(error), failure.resolve);
  };
  try {
    const node = await openNode(ports, {
      name: config.node,
      clusterName: config.clusterName ?? drawnClusterName(ports),
      dataDir: config.dataDir,
      heartbeatMs: config.heartbeatMs,
      electionMs: config.electionMsMin,
      onFatal: fail,
    });
    closers.push(() => node.stop());
    node.start();
    await node.ready();
    const addresses = await openListeners(node, closers, {
      config,
      secrets,
      ports,
      fail,
    });
    return { addresses, failure: failure.promise, stop: close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ListenerParts {
  readonly config: NodeConfig;
  readonly secrets: AppSecrets;
  readonly ports: AppPorts;
  readonly fail: (error: unknown) => void;
}

/** Closers run last first: requests end before the node does. */
async function openListeners(
  node: Node,
  closers: (() => Promise<unknown>)[],
  { config, secrets, ports, fail }: ListenerParts,
): Promise<RunningNode["addresses"]> {
  const { http, net, clock, log } = ports;
  const tls = secrets.tls === null ? {} : { tls: secrets.tls };
  const metrics = new MetricRegistry();
  registerNodeMetrics(metrics, loneMetrics(node), ports.process);
  const server = new KvConnectServer({
    node,
    signer: new AccessTokenSigner(secrets.accessToken.reveal()),
    clock,
    log,
    metrics,
    onFault: fail,
    ...endpointBase(config),
  });
  const stopping = new AbortController();
  const admin = adminHandler({
    node: loneOperator(node),
    isAdminToken: sameToken(secrets.adminToken),
    clock,
    log,
    stopping: stopping.signal,
  });
  const peers = await net.listen({ ...config.peerListen, ...tls });
  closers.push(() => Promise.resolve(peers.close()));
  refusePeers(peers, ports);
  const adminListener = await http.serve(
    { ...config.adminListen, ...tls },
    admin,
  );
  closers.push(() => {
    stopping.abort();
    return adminListener.shutdown(SHUTDOWN_GRACE_MS);
  });
  const listener = await http.serve(
    { ...config.listen, ...tls },
    server.handle,
  );
  closers.push(() => stopServing(server, listener));
  return {
    listen: listener.address,
    peer: peers.address,
    admin: adminListener.address,
  };
}

async function stopServing(
  server: KvConnectServer,
  listener: HttpListener,
): Promise<void> {
  server.stop();
  await listener.shutdown(SHUTDOWN_GRACE_MS);
}

/** A cluster of one has no peers: whoever calls is told so by the event. */
async function refusePeers(
  peers: NetListener,
  { log }: AppPorts,
): Promise<void> {
  for (;;) {
    const connection = await peers.accept();
    if (connection === null) return;
    const from: Address = connection.remote;
    log.write("warn", "peer_refused", { from: formatAddress(from) });
    connection.close();
  }
}

function sameToken(token: Token): (given: string) => Promise<boolean> {
  return async (given) => {
    const [expected, actual] = await Promise.all([
      sha256(utf8(token.reveal())),
      sha256(utf8(given)),
    ]);
    return equalConstantTime(expected, actual);
  };
}

/**
 * Clients stay on the address they know, which is the safest default; a node
 * that is told what they dial says so.
 */
function endpointBase(
  { advertise, tls }: NodeConfig,
): { readonly endpointBase?: string } {
  if (advertise === null) return {};
  const scheme = tls === null ? "http" : "https";
  return { endpointBase: `${scheme}://${formatAddress(advertise)}` };
}

function drawnClusterName({ random }: AppPorts): string {
  return `sealkv-${toHex(random.bytes(2))}`;
}
