import type { Bytes } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import type { Message } from "../raft/message.ts";
import type { RaftId } from "../raft/types.ts";

/**
 * Version of what members say to each other and of the entries that they can
 * apply; raised with any change of either.
 *
 * 1: clusters. 2: entries of encryption, and epochs in the handshake. 3: the
 * rollout in entries and checkpoints, sealed entries and checkpoints, tasks.
 */
export const PROTOCOL_VERSION = 3;

/** The session that a node last began under a data key. */
export interface PeerEpoch {
  readonly keyId: KeyId;
  /** 1 to EPOCH_MAX. */
  readonly epoch: number;
}

/** A member as a link dials it. */
export interface PeerAddress {
  readonly id: RaftId;
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
}

/** Who one side of a connection says it is. */
export interface PeerIdentity {
  /** 16 bytes; `null` until the member knows its cluster's id. */
  readonly clusterId: Bytes | null;
  readonly name: string;
  readonly id: RaftId;
  /** HOST:PORT where it is dialled; "" when it does not know. */
  readonly address: string;
  /** 16 bytes, drawn with the data dir: a new disk under an old name differs. */
  readonly diskId: Bytes;
  readonly protocolVersion: number;
  /** 32 bytes: of the initial cluster; zeros for a member that joined later. */
  readonly foundingDigest: Bytes;
  /** By key id, each once, at most KEYS_MAX; none from version 1. */
  readonly epochs: readonly PeerEpoch[];
}

/** Why a member will not talk to another one. */
export const PEER_REFUSALS = [
  "wrong-cluster",
  "wrong-founding",
  "wrong-version",
  "wrong-token",
  "wrong-name",
  "wrong-disk",
  "unknown-member",
  "removed-member",
  "malformed",
  "epoch-rollback",
] as const;
export type PeerRefusal = (typeof PEER_REFUSALS)[number];

/** Proves knowledge of the peer token without showing it. */
export interface PeerProver {
  /** HMAC-SHA-256 of `message` under the peer token: 32 bytes. */
  prove(message: Bytes): Promise<Bytes>;
  /** Compares in constant time. */
  verify(message: Bytes, proof: Bytes): Promise<boolean>;
}

/** What the transport asks and tells its node. All calls are synchronous. */
export interface TransportHost {
  /** Who this node is; asked at every hello, for the cluster id comes late. */
  identity(): PeerIdentity;
  /** Judges the identity that a proven peer claims. */
  vet(claim: PeerIdentity): PeerRefusal | null;
  /** In the order in which `from` sent them. `from` is proven. */
  onMessage(from: RaftId, message: Message): void;
  /** A packet of the node's own, opaque to the transport; same order. */
  onPacket(from: RaftId, packet: Bytes): void;
  /** A connection that is about one bulk transfer; the node closes it. */
  onStream(from: RaftId, stream: PeerStream): void;
  /** The link to `peer` carries messages from now on: nothing of before is. */
  onLinkUp(peer: RaftId): void;
  /** Messages to `peer` were lost; told once until the next `onLinkUp`. */
  onLinkDown(peer: RaftId): void;
  /** `peer` refused this node. */
  onRefused(peer: RaftId, refusal: PeerRefusal): void;
}

/** An ordered, authenticated connection of frames, beside the messages. */
export interface PeerStream {
  readonly peer: RaftId;
  /** Resolves when the system took it. Frames of 1 to STREAM_FRAME_BYTES_MAX. */
  write(frame: Uint8Array): Promise<void>;
  /** The next frame; `null` once the other side has closed. */
  read(): Promise<Bytes | null>;
  close(): void;
}

/** One link as operators see it. */
export interface PeerLinkStatus {
  readonly id: RaftId;
  readonly name: string;
  /** The link from this node to the peer carries messages. */
  readonly isUp: boolean;
  /** A connection from the peer to this node is open. */
  readonly hears: boolean;
  readonly queuedBytes: number;
  readonly lastRefusal: PeerRefusal | null;
}

/** Counts since the transport was opened. */
export interface TransportCounters {
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly messagesDropped: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly connects: number;
  readonly refusals: number;
}

/** Links to the other members. */
export interface Transport {
  /** Dials who is new, lets go of who is gone, redials who moved. */
  setPeers(peers: readonly PeerAddress[]): void;
  /**
   * Sends each to its `to`, in order, without waiting. What does not fit the
   * bounded queue of a link, or has no link, is dropped, and `onLinkDown` told.
   */
  send(messages: readonly Message[]): void;
  /** As `send`, for a packet of the node's own; false when it was dropped. */
  sendPacket(to: RaftId, packet: Uint8Array): boolean;
  /** Opens a bulk transfer. @throws {NodeError} When the peer is not there. */
  openStream(to: RaftId): Promise<PeerStream>;
  links(): readonly PeerLinkStatus[];
  readonly counters: TransportCounters;
  /** What the listener bound. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Sends what is queued, for at most a moment, then ends every connection. */
  close(): Promise<void>;
}
