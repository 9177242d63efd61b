/*
 * All that the simulator knows of the product's node is in this file: how it
 * is opened, what it is asked, and where its inside is looked at.
 */
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { Applier, type ApplyJob } from "../../../src/node/applier.ts";
import { openNode } from "../../../src/node/open_node.ts";
import type {
  ChangeTerms,
  MemberRequest,
  NodePort,
} from "../../../src/node/port.ts";
import type { Clock } from "../../../src/io/clock.ts";
import type { Disk } from "../../../src/io/disk.ts";
import type { Kv } from "../../../src/io/kv.ts";
import type { EventLog } from "../../../src/io/log.ts";
import type { Net } from "../../../src/io/net.ts";
import type { Random } from "../../../src/io/random.ts";
import type { Entry } from "../../../src/raft/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import type { StoreState } from "../../../src/store/meta.ts";
import type { StoreBatch } from "../../../src/store/writer.ts";
import { Life } from "./life.ts";

/** Members that the product's node can be one of. */
export const MEMBERS_MAX = 1;

export const PEER_PORT = 4_513;
export const CLUSTER_NAME = "sim";
export const DATA_DIR = "/data";
/** Of the backing store in a data dir. */
export const STORE_PATH = `${DATA_DIR}/store.sqlite`;

/** The world of one life. */
export interface SimPorts {
  readonly disk: Disk;
  readonly openKv: (path: string) => Promise<Kv>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly net: Net;
}

export interface SimNodeOptions {
  readonly name: string;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly segmentBytes: number;
  readonly compactAfterBytes: number;
  readonly trailingEntries: number;
  /** Names of the members that found the cluster; host names as well. */
  readonly founding: readonly string[];
  /** Joins through these instead of founding. */
  readonly join: readonly string[] | null;
  readonly onFatal: (error: Error) => void;
}

/** A node as the simulator drives it. */
export interface SimNode extends Pick<NodePort, "write" | "read" | "status"> {
  start(): void;
  ready(): Promise<void>;
  stop(): Promise<void>;
  changeMembers(request: MemberRequest, terms: ChangeTerms): Promise<unknown>;
}

export type OpenSimNode = (
  ports: SimPorts,
  options: SimNodeOptions,
) => Promise<SimNode>;

/** What checkers see of a node's inside. All calls are synchronous. */
export interface SimNodeObserver {
  /** The core gave these to be applied: they are committed. */
  committed(entries: readonly Entry[]): void;
  /** From now on readers see `state`. */
  applied(state: StoreState, mutations: readonly Mutation[]): void;
}

export const openProductNode: OpenSimNode = async (ports, options) => {
  observeAll();
  const node = await openNode(ports, {
    ...options,
    clusterName: CLUSTER_NAME,
    dataDir: DATA_DIR,
  });
  return {
    write: (write) => node.write(write),
    read: (request) => node.read(request),
    status: () => node.status(),
    start: () => node.start(),
    ready: () => node.ready(),
    stop: () => node.stop(),
    changeMembers: () => Promise.reject(new Error("a lone node")),
  };
};

/** Stands for the HMAC of the peer token: equal inputs, equal proofs. */
export const SIM_PROVER = {
  prove: (message: Bytes): Promise<Bytes> => {
    const proof = new Uint8Array(32);
    message.forEach((byte, i) => {
      proof[i % 32] = (proof[i % 32] as number) * 31 + byte;
    });
    return Promise.resolve(proof);
  },
};

let isObserving = false;

/**
 * Looks into every node by its parts' own methods, so that the product needs
 * no hook: whose part it is, the life says whose task is running.
 */
function observeAll(): void {
  if (isObserving) return;
  isObserving = true;
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
}
