import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import type { FsmState, Member, MemberId } from "../fsm/types.ts";
import type { Message } from "../raft/message.ts";
import type { LogIndex, RaftId } from "../raft/types.ts";
import {
  type PeerAddress,
  type PeerIdentity,
  type PeerLinkStatus,
  type PeerRefusal,
  type PeerStream,
  PROTOCOL_VERSION,
  type Transport,
  type TransportCounters,
  type TransportHost,
} from "../transport/port.ts";
import { EpochClaims } from "./encryption/epoch_claims.ts";
import type { Identity } from "./identity.ts";
import { decodePacket, encodePacket, type Packet } from "./packet.ts";
import type { MemberState } from "./packet.ts";
import type { ShuttingOut } from "./shut_out.ts";
import { vetPeer } from "./vetting.ts";

/** What links bring, for the node. */
export interface PeersHost {
  /** The applied state. */
  state(): { readonly applied: LogIndex; readonly fsm: FsmState };
  onMessage(from: RaftId, message: Message): void;
  onPacket(from: RaftId, packet: Exclude<Packet, MemberState>): void;
  onStream(from: RaftId, stream: PeerStream): void;
  onLinkUp(peer: RaftId): void;
  onLinkDown(peer: RaftId): void;
  /** A member says that this one cannot be part of the cluster any more. */
  onShutOut(refusal: ShuttingOut): void;
}

/** What a member told of itself, and when. */
interface Heard {
  readonly state: MemberState;
  readonly atMs: number;
}

export interface PeersOptions {
  readonly identity: Identity;
  /** Known before the cluster's own list is: founding members or a grant. */
  readonly initial: readonly Member[];
  /** The cluster's id when this node joins one. */
  readonly clusterId: Bytes | null;
  /** Epochs of this node that it stands for. */
  readonly epochs: () => ReadonlyMap<KeyId, number>;
  readonly monotonicMs: () => number;
  readonly host: PeersHost;
}

const NO_TRAFFIC: TransportCounters = Object.freeze({
  messagesSent: 0,
  messagesReceived: 0,
  messagesDropped: 0,
  bytesSent: 0,
  bytesReceived: 0,
  connects: 0,
  refusals: 0,
});

/** A member that said nothing for this long counts as down. */
const SILENCE_MS_MAX = 3_000;

/** The other members: who they are, where, and how they do. */
export class Peers implements TransportHost {
  readonly #options: PeersOptions;
  readonly #heard = new Map<RaftId, Heard>();
  /** Where members not in the applied list said that they are dialled. */
  readonly #learned = new Map<RaftId, PeerAddress>();
  readonly #claims: EpochClaims;
  #transport: Transport | null = null;
  #members: ReadonlyMap<MemberId, Member> | null = null;
  #address = "";

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#claims = new EpochClaims(options.epochs, options.monotonicMs);
  }

  /** `null` on a node that takes no part in a network. */
  get transport(): Transport | null {
    return this.#transport;
  }

  /** HOST:PORT that others dial. */
  get address(): string {
    return this.#address;
  }

  attach(transport: Transport, address: string): void {
    this.#transport = transport;
    this.#address = address;
    this.refresh();
  }

  /** Follows the applied list of members. */
  refresh(): void {
    const { fsm } = this.#options.host.state();
    if (this.#members === fsm.members) return;
    this.#members = fsm.members;
    for (const id of this.#heard.keys()) {
      if (fsm.members.size > 0 && !fsm.members.has(id)) this.#heard.delete(id);
    }
    this.#dial();
  }

  /** By id: the cluster's list, or what is known before there is one. */
  members(): ReadonlyMap<MemberId, Member> {
    const { members } = this.#options.host.state().fsm;
    if (members.size > 0) return members;
    return new Map(this.#options.initial.map((one) => [one.id, one]));
  }

  nameOf(id: RaftId): string {
    return this.members().get(id)?.name ?? this.#learned.get(id)?.name ?? "";
  }

  /** What `id` told last, unless it is silent. */
  stateOf(id: RaftId): MemberState | null {
    const heard = this.#heard.get(id);
    if (heard === undefined) return null;
    const ageMs = this.#options.monotonicMs() - heard.atMs;
    return ageMs <= SILENCE_MS_MAX ? heard.state : null;
  }

  /** Whether `id` talks to this member and was heard lately. */
  isUp(id: RaftId): boolean {
    const link = this.#transport?.links().find((one) => one.id === id);
    return link?.hears === true && this.stateOf(id) !== null;
  }

  /** @throws {NodeError} When there is no way to `to`. */
  async openStream(to: RaftId): Promise<PeerStream> {
    const transport = this.#transport;
    assert(transport !== null, "checkpoints go to peers");
    return await transport.openStream(to);
  }

  /** Tells all members how this one is doing. */
  tell(state: MemberState): void {
    const packet = encodePacket(state);
    for (const { id, isUp } of this.#transport?.links() ?? []) {
      if (isUp) this.#transport?.sendPacket(id, packet);
    }
  }

  /** What the links carried, those that are gone too. */
  traffic(): {
    readonly links: readonly PeerLinkStatus[];
    readonly counters: TransportCounters;
  } {
    const transport = this.#transport;
    return {
      links: transport?.links() ?? [],
      counters: transport?.counters ?? NO_TRAFFIC,
    };
  }

  /** Whether every one of `ids` but this node talks and listens. */
  hearsAll(ids: readonly RaftId[]): boolean {
    const links = this.#transport?.links() ?? [];
    return ids.every((id) =>
      id === this.#options.identity.id ||
      links.some((link) => link.id === id && link.isUp && link.hears)
    );
  }

  async close(): Promise<void> {
    const transport = this.#transport;
    this.#transport = null;
    await transport?.close();
  }

  identity(): PeerIdentity {
    const { identity, clusterId, host } = this.#options;
    return {
      clusterId: host.state().fsm.clusterId ?? clusterId,
      name: identity.name,
      id: identity.id,
      address: this.#address,
      diskId: identity.diskId,
      protocolVersion: PROTOCOL_VERSION,
      foundingDigest: identity.foundingDigest,
      epochs: this.#claims.say(),
    };
  }

  vet(claim: PeerIdentity): PeerRefusal | null {
    const { applied, fsm } = this.#options.host.state();
    const refusal = vetPeer(claim, {
      own: this.identity(),
      applied,
      members: fsm.members,
      initial: this.#options.initial,
      writers: fsm.encryption.writers,
    });
    if (refusal === null) this.#learn(claim);
    return refusal;
  }

  onMessage(from: RaftId, message: Message): void {
    this.#options.host.onMessage(from, message);
  }

  onPacket(from: RaftId, bytes: Bytes): void {
    const packet = decodePacket(bytes);
    if (packet === null) return;
    if (packet.kind === "state") {
      const atMs = this.#options.monotonicMs();
      this.#heard.set(from, { state: packet, atMs });
    } else this.#options.host.onPacket(from, packet);
  }

  onStream(from: RaftId, stream: PeerStream): void {
    this.#options.host.onStream(from, stream);
  }

  onLinkUp(peer: RaftId): void {
    this.#options.host.onLinkUp(peer);
  }

  onLinkDown(peer: RaftId): void {
    this.#options.host.onLinkDown(peer);
  }

  onRefused(_peer: RaftId, refusal: PeerRefusal): void {
    switch (refusal) {
      case "epoch-rollback":
        if (this.#claims.mayBeOutdated) return;
        return this.#options.host.onShutOut(refusal);
      case "removed-member":
      case "wrong-disk":
        return this.#options.host.onShutOut(refusal);
      default:
        return;
    }
  }

  /**
   * A proven member may be newer than our list, or may have moved: to answer
   * it, it has to be dialled where it says.
   */
  #learn({ id, name, address }: PeerIdentity): void {
    const place = splitAddress(address);
    if (place === null) return;
    if (this.members().get(id)?.peerAddress === address) {
      // It may have been elsewhere in between.
      if (this.#learned.delete(id)) this.#dial();
      return;
    }
    const known = this.#learned.get(id);
    if (known?.hostname === place.hostname && known.port === place.port) return;
    this.#learned.set(id, { id, name, ...place });
    this.#dial();
  }

  #dial(): void {
    const peers = new Map<RaftId, PeerAddress>();
    for (const { id, name, peerAddress } of this.members().values()) {
      const place = splitAddress(peerAddress);
      if (place !== null) peers.set(id, { id, name, ...place });
    }
    const { applied } = this.#options.host.state();
    for (const [id, learned] of this.#learned) {
      // The list knows of every id up to the applied index: it was removed.
      if (!peers.has(id) && id <= applied) this.#learned.delete(id);
      else peers.set(id, learned);
    }
    peers.delete(this.#options.identity.id);
    this.#transport?.setPeers([...peers.values()]);
  }
}

/** Reads HOST:PORT or [V6]:PORT; `null` for "" and what cannot be dialled. */
function splitAddress(
  address: string,
): { readonly hostname: string; readonly port: number } | null {
  const at = address.lastIndexOf(":");
  const port = Number(address.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 1) return null;
  const hostname = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port };
}
