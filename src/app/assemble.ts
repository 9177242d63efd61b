import { adminHandler } from "../admin/handler.ts";
import type { Vitals } from "../admin/vitals.ts";
import { type Address, formatAddress } from "../base/address.ts";
import { toHex, utf8 } from "../base/bytes.ts";
import { MetricRegistry } from "../base/metrics.ts";
import { equalConstantTime } from "../crypto/constant_time.ts";
import { sha256 } from "../crypto/sha256.ts";
import type { Files } from "../io/files.ts";
import type {
  HttpClientPort,
  HttpListener,
  HttpServerPort,
} from "../io/http.ts";
import type { Net } from "../io/net.ts";
import type { ProcessPort } from "../io/process.ts";
import type { BytesOf, SpaceOf } from "../io/space.ts";
import { replyLatency } from "../kvconnect/request_metrics.ts";
import { KvConnectServer } from "../kvconnect/server.ts";
import type { KeySettings } from "../node/guards/open_keys.ts";
import type { Node } from "../node/node.ts";
import {
  type NodePorts,
  openNode,
  type OpenNodeOptions,
} from "../node/open_node.ts";
import { AUDIT_LOG_NAME, AuditLog } from "./audit_log.ts";
import type { NodeConfig } from "./config.ts";
import { registerEncryptionMetrics } from "./encryption_metrics.ts";
import { GivenBackups } from "./given_backups.ts";
import { askToJoin } from "./join.ts";
import { keySettings } from "./key_settings.ts";
import { type NodeMetricsSource, registerNodeMetrics } from "./node_metrics.ts";
import { nodeVitals } from "./node_vitals.ts";
import { openPeerLinks } from "./peer_links.ts";
import { RecentLatency } from "./recent_latency.ts";
import type { RunningNode } from "./running_node.ts";
import type { Token } from "./secrets.ts";
import { kekUnwrapSeconds, timedKek } from "./timed_kek.ts";
import { AccessTokenSigner } from "./token_signer.ts";

/** The world as a served node needs it. */
export interface AppPorts extends Omit<NodePorts, "openTransport" | "keys"> {
  readonly http: HttpServerPort;
  readonly net: Net;
  /** A network whose listeners demand client certificates. */
  readonly mutualTlsNet: () => Net;
  /** A client with connections of its own; `ca` is PEM. */
  readonly httpClient: (options: { readonly ca?: string }) => HttpClientPort;
  readonly files: Files;
  readonly process: ProcessPort;
  readonly spaceOf: SpaceOf;
  readonly bytesOf: BytesOf;
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

interface Assembly {
  readonly config: NodeConfig;
  readonly secrets: AppSecrets;
  readonly ports: AppPorts;
  /** Run last first. */
  readonly closers: (() => Promise<unknown>)[];
  readonly fail: (error: unknown) => void;
  readonly metrics: MetricRegistry;
}

/**
 * Opens the data dir and the listeners and lets the node take part; `ready`
 * of what it returns tells when clients are served.
 *
 * A member that waits for others answers operators and health checks; its
 * clients wait with it.
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
  const metrics = new MetricRegistry();
  const assembly = { config, secrets, ports, closers, fail, metrics };
  try {
    const node = await openNode({
      ...ports,
      keys: nodeKeys(assembly),
      openTransport: (host) => openPeerLinks(host, assembly),
    }, nodeOptions(assembly));
    closers.push(() => node.stop());
    const addresses = await openListeners(node, assembly);
    node.setAddresses({
      client: formatAddress(config.advertise ?? addresses.listen),
      admin: formatAddress(config.adminAdvertise ?? addresses.admin),
    });
    // First of all: the others go on while this one ends its requests.
    closers.push(() => node.handOver());
    node.start();
    return {
      addresses,
      ready: node.ready(),
      failure: failure.promise,
      stop: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** KEKs are loaded once the data dir is held and nothing speaks against it. */
function nodeKeys({ config, ports, closers, metrics }: Assembly): KeySettings {
  const { clock } = ports;
  const http = ports.httpClient({});
  closers.push(async () => http.close());
  const seconds = kekUnwrapSeconds(metrics);
  return keySettings(
    config,
    { ...ports, http },
    (kek) => timedKek(kek, { seconds, clock }),
  );
}

function nodeOptions(
  { config, secrets, ports, fail }: Assembly,
): OpenNodeOptions {
  const { initialCluster, join, checkpointBytesPerSecond } = config;
  const { logCompactAfterBytes, logKeepEntries } = config;
  return {
    name: config.node,
    clusterName: config.clusterName ?? drawnClusterName(ports),
    dataDir: config.dataDir,
    heartbeatMs: config.heartbeatMs,
    electionMs: config.electionMsMin,
    readLease: config.readLease,
    trustTail: config.trustTail,
    rotateOnStart: config.rotateOnStart,
    initialCluster: initialCluster?.map(({ name, address }) => ({
      name,
      address: formatAddress(address),
    })) ?? null,
    join: join === null ? null : () => askToJoin(config, secrets, ports),
    peerAddress: peerAddress(config),
    ...(checkpointBytesPerSecond === null ? {} : { checkpointBytesPerSecond }),
    ...(logCompactAfterBytes === null
      ? {}
      : { compactAfterBytes: logCompactAfterBytes }),
    ...(logKeepEntries === null ? {} : { trailingEntries: logKeepEntries }),
    onFatal: fail,
  };
}

/** What other members dial; "" leaves it to what the listener binds. */
function peerAddress({ peerAdvertise, peerListen }: NodeConfig): string {
  const address = peerAdvertise ?? peerListen;
  return address.port === 0 ? "" : formatAddress(address);
}

/** Closers run last first: requests end before the node does. */
async function openListeners(
  node: Node,
  assembly: Assembly,
): Promise<RunningNode["addresses"]> {
  const { config, secrets, ports, closers, fail, metrics } = assembly;
  const { http, clock, log } = ports;
  const tls = secrets.tls === null ? {} : { tls: secrets.tls };
  registerNodeMetrics(metrics, metricsOf(node), ports.process);
  registerEncryptionMetrics(metrics, node.encryptionMetrics());
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
  const { audit, backups } = await openAudit(assembly);
  const admin = adminHandler({
    node,
    encryption: node.encryption,
    audit,
    vitals: vitalsOf(node, backups, assembly),
    isAdminToken: sameToken(secrets.adminToken),
    clock,
    log,
    stopping: stopping.signal,
  });
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
  const peer: Address = node.peerAddress ?? config.peerListen;
  return { listen: listener.address, peer, admin: adminListener.address };
}

/** The audit log, and the backups that it tells of. */
async function openAudit(
  { config, ports, closers }: Assembly,
): Promise<{ readonly audit: AuditLog; readonly backups: GivenBackups }> {
  const { disk, clock, log } = ports;
  const backups = new GivenBackups();
  const audit = new AuditLog({
    disk,
    path: `${config.dataDir}/${AUDIT_LOG_NAME}`,
    node: config.node,
    clock,
    log,
    onLine: (line) => backups.readLine(line),
  });
  await audit.open();
  closers.push(() => audit.close());
  return { audit, backups };
}

function vitalsOf(
  node: Node,
  backups: GivenBackups,
  { config, ports, closers, metrics }: Assembly,
): () => Promise<Vitals> {
  const { clock } = ports;
  const recent = new RecentLatency(() => replyLatency(metrics), clock);
  closers.push(async () => recent.close());
  return nodeVitals({
    ...{ node: config.node, dataDir: config.dataDir, metrics, ...ports },
    counters: () => node.counters(),
    seals: () => node.encryptionMetrics().seals(),
    recentLatency: () => recent.tell(),
    backups: () => backups.tell(clock.wallMs()),
    storePath: () => node.storePath,
  });
}

function metricsOf(node: Node): NodeMetricsSource {
  return {
    status: () => node.status(),
    raft: () => node.counters().raft,
    wal: () => node.counters().wal,
    store: () => node.counters().store,
    transport: () => node.counters().transport,
  };
}

async function stopServing(
  server: KvConnectServer,
  listener: HttpListener,
): Promise<void> {
  server.stop();
  await listener.shutdown(SHUTDOWN_GRACE_MS);
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
