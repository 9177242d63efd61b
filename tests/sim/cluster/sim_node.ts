/*
 * All that the simulator knows of the product's node is in this file: how it
 * is opened, what it is asked, and where its inside is looked at.
 */
import { type Bytes, equalBytes, utf8 } from "../../../src/base/bytes.ts";
import { NO_KEY } from "../../../src/base/data_key.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { Applier, type ApplyJob } from "../../../src/node/applier.ts";
import type { JoinGrant } from "../../../src/node/begin.ts";
import { JoinRefusedError } from "../../../src/node/member_errors.ts";
import { openNode } from "../../../src/node/open_node.ts";
import type {
  ChangeTerms,
  MemberRequest,
  NodePort,
  NodeStatus,
} from "../../../src/node/port.ts";
import type { Clock } from "../../../src/io/clock.ts";
import type { Disk } from "../../../src/io/disk.ts";
import type { Kv, KvRow } from "../../../src/io/kv.ts";
import type { EventLog } from "../../../src/io/log.ts";
import type { Net } from "../../../src/io/net.ts";
import type { Random } from "../../../src/io/random.ts";
import type { SealingPurpose } from "../../../src/base/data_key.ts";
import { sealRaftEnvelope } from "../../../src/crypto/raft_envelope.ts";
import { sealStorageEnvelope } from "../../../src/crypto/storage_envelope.ts";
import { type Session, Sessions } from "../../../src/keys/sessions.ts";
import { Engine } from "../../../src/node/engine.ts";
import { EntryLine } from "../../../src/node/raft_sealing/entry_line.ts";
import type { EncryptionPort } from "../../../src/node/encryption_port.ts";
import type { KeySettings } from "../../../src/node/guards/open_keys.ts";
import type { Entry } from "../../../src/raft/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import type { StoreState } from "../../../src/store/meta.ts";
import type { StoreBatch } from "../../../src/store/writer.ts";
import { decodePointer } from "../../../src/node/store_place.ts";
import { openTransport } from "../../../src/transport/open_transport.ts";
import type { PeerProver } from "../../../src/transport/port.ts";
import type { SimDisk } from "../io/disk.ts";
import { Life } from "./life.ts";

/** Members that the product's node can be one of. */
export const MEMBERS_MAX = 5;

const PEER_PORT = 4_513;
export const CLUSTER_NAME = "sim";
const DATA_DIR = "/data";
export const ENCRYPTION_DIR = `${DATA_DIR}/encryption`;
export const WAL_DIR = `${DATA_DIR}/raft`;
export const CHECKPOINT_DIR = `${DATA_DIR}/checkpoints`;
export const SIDECAR_PATH = `${ENCRYPTION_DIR}/keys.json`;

/** The world of one life. */
export interface SimPorts {
  readonly disk: Disk;
  readonly openKv: (path: string) => Promise<Kv>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly net: Net;
  /** `null`: the node is told nothing about encryption. */
  readonly keys: KeySettings | null;
}

export interface SimNodeOptions {
  readonly name: string;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly segmentBytes: number;
  readonly compactAfterBytes: number;
  readonly trailingEntries: number;
  readonly readLease: boolean;
  readonly rotateOnStart?: boolean;
  readonly checkpointBytesPerSecond?: number;
  /** Names of the members that found the cluster; host names as well. */
  readonly founding: readonly string[];
  /** Asks a running cluster how it is instead of founding one. */
  readonly join: (() => Promise<NodeStatus | null>) | null;
  readonly onFatal: (error: Error) => void;
}

/** A node as the simulator drives it. */
export interface SimNode extends Pick<NodePort, "write" | "read" | "status"> {
  start(): void;
  ready(): Promise<void>;
  stop(): Promise<void>;
  changeMembers(request: MemberRequest, terms: ChangeTerms): Promise<unknown>;
  /** `null` on a node that knows of no encryption. */
  readonly encryption: EncryptionPort | null;
}

export type OpenSimNode = (
  ports: SimPorts,
  options: SimNodeOptions,
) => Promise<SimNode>;

/** What checkers see of a node's inside. All calls are synchronous. */
export interface SimNodeObserver {
  /** As the leader it is about to propose a change of encryption. */
  changing(): void;
  /** As the leader it has put the marker of the raft cutover into its log. */
  marked(): void;
  /** The core gave these to be applied: they are committed. */
  committed(entries: readonly Entry[]): void;
  /** From now on readers see `state`. */
  applied(state: StoreState, mutations: readonly Mutation[]): void;
  /** A checkpoint took the place of all before. */
  installed(state: StoreState): void;
  /** It writes these bytes to the file at `path`. */
  wrote(path: string, bytes: Uint8Array): void;
  /** It writes this row to the store at `path`. */
  wroteRow(path: string, row: KvRow): void;
  /** It is about to seal in a session for the first time. */
  begun(session: Session): void;
}

export const openProductNode: OpenSimNode = ({ keys, ...ports }, options) => {
  observeAll();
  const { name, founding, join } = options;
  const { net, clock, random, log } = ports;
  const listen = { hostname: name, port: PEER_PORT };
  return openNode({
    ...ports,
    ...(keys === null ? {} : { keys }),
    openTransport: (host) =>
      openTransport({ net, clock, random, log, host, listen, prover: PROVER }),
  }, {
    ...options,
    clusterName: CLUSTER_NAME,
    dataDir: DATA_DIR,
    peerAddress: addressOf(name),
    initialCluster: join !== null
      ? null
      : founding.map((one) => ({ name: one, address: addressOf(one) })),
    join: join === null ? null : async () => grantOf(name, await join()),
  });
};

/** HOST:PORT that members dial. */
export function addressOf(name: string): string {
  return `${name}:${PEER_PORT}`;
}

/** What app/join.ts makes of a status. @throws {JoinRefusedError} */
function grantOf(name: string, status: NodeStatus | null): JoinGrant {
  const own = status?.members.find((member) => member.name === name);
  if (status === null || status.clusterId === null || own === undefined) {
    throw new JoinRefusedError(name, "no cluster expects it");
  }
  if (own.hasStarted) throw new JoinRefusedError(name, "it has another disk");
  const members = status.members.map((member) => ({
    ...member,
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  }));
  return { clusterId: status.clusterId, id: own.id, members };
}

/** Stands for the HMAC of the peer token: equal inputs, equal proofs. */
const PROVER: PeerProver = {
  prove: (message) => Promise.resolve(proofOf(message)),
  verify: (message, proof) =>
    Promise.resolve(equalBytes(proofOf(message), proof)),
};

function proofOf(message: Bytes): Bytes {
  const proof = new Uint8Array(32);
  message.forEach((byte, i) => {
    proof[i % 32] = (proof[i % 32] as number) * 31 + byte;
  });
  return proof;
}

/** Path of the store that a data dir says is the current one. */
export function currentStore(disk: SimDisk): string {
  const path = `${DATA_DIR}/store.pointer`;
  const pointer = disk.durableBytes(path);
  return pointer === null
    ? `${DATA_DIR}/store.sqlite`
    : `${DATA_DIR}/${decodePointer(path, pointer).store}`;
}

const engines = new WeakMap<Life, Engine>();

/**
 * Has the node of `life` seal a few values with the session it has for that;
 * returns how many: 0 without a key.
 *
 * @throws {NodeError} What a session is refused with.
 */
export async function sealOnce(
  life: Life,
  purpose: SealingPurpose,
  count: number,
): Promise<number> {
  const engine = engines.get(life);
  const state = engine?.encryption.state;
  const clusterId = engine?.operations.exportEncryptionState().clusterId;
  if (engine?.sessions == null || state === undefined || clusterId == null) {
    return 0;
  }
  const keyId = state.active[purpose];
  if (keyId === NO_KEY) return 0;
  const session = await engine.sessions.open(keyId, purpose);
  const plaintext = utf8("a value");
  for (let i = 0; i < count; i += 1) {
    if (purpose === "raft") {
      await sealRaftEnvelope({ ...session, clusterId }, plaintext);
    } else {
      const header = new Uint8Array(21);
      const key = utf8(`key ${i}`);
      await sealStorageEnvelope(
        { ...session, clusterId },
        header,
        key,
        plaintext,
      );
    }
  }
  return count;
}

let isObserving = false;

/**
 * Looks into every node by its parts' own methods, so that the product needs
 * no hook: whose part it is, the life says whose task is running.
 */
function observeAll(): void {
  if (isObserving) return;
  isObserving = true;
  const { start } = Engine.prototype;
  Engine.prototype.start = function (): void {
    if (Life.current !== null) engines.set(Life.current, this);
    start.call(this);
  };
  const { proposeEncryption } = Engine.prototype;
  Engine.prototype.proposeEncryption = function (payload) {
    Life.current?.host.observer.changing();
    return proposeEncryption.call(this, payload);
  };
  const { putMarker } = EntryLine.prototype;
  EntryLine.prototype.putMarker = function (proposalId): boolean {
    const isPut = putMarker.call(this, proposalId);
    if (isPut) Life.current?.host.observer.marked();
    return isPut;
  };
  const { enqueue } = Applier.prototype;
  Applier.prototype.enqueue = function (job: ApplyJob): void {
    Life.current?.host.observer.committed(job.entries);
    enqueue.call(this, job);
  };
  const { commit } = BufferedStore.prototype;
  BufferedStore.prototype.commit = function (batch: StoreBatch): Promise<void> {
    const committed = commit.call(this, batch);
    Life.current?.host.observer.applied(batch.state, batch.mutations);
    return committed;
  };
  const { open } = Sessions.prototype;
  Sessions.prototype.open = async function (keyId, purpose): Promise<Session> {
    const observer = Life.current?.host.observer;
    const session = await open.call(this, keyId, purpose);
    observer?.begun(session);
    return session;
  };
  const { replaceWith } = BufferedStore.prototype;
  BufferedStore.prototype.replaceWith = async function (next): Promise<void> {
    const observer = Life.current?.host.observer;
    await replaceWith.call(this, next);
    observer?.installed(this.state);
  };
}
