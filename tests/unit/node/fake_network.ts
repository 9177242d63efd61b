import { EMPTY_BYTES } from "../../../src/base/bytes.ts";
import type { Clock } from "../../../src/io/clock.ts";
import { ConnectionLostError } from "../../../src/io/errors.ts";
import type { Message } from "../../../src/raft/message.ts";
import type { RaftId } from "../../../src/raft/types.ts";
import type {
  PeerAddress,
  PeerLinkStatus,
  PeerRefusal,
  PeerStream,
  Transport,
  TransportHost,
} from "../../../src/transport/port.ts";
import { StreamFaults, StreamPair } from "../../sim/io/peer_stream.ts";

const LATENCY_MS = 1;
const REDIAL_MS = 20;

type Parcel = { readonly message: Message } | { readonly packet: Uint8Array };

/** Who hears whom: ordered links that can be cut, one way each. */
export class FakeNetwork {
  readonly clock: Clock;
  /** Packets that get lost on their way. */
  loses: (packet: Uint8Array) => boolean = () => false;
  readonly #ends = new Map<string, FakeTransport>();
  readonly #cuts = new Set<string>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Opens the transport of `host` at `hostname`:1. */
  open(host: TransportHost, hostname: string): FakeTransport {
    const end = new FakeTransport(this, host, hostname);
    this.#ends.set(hostname, end);
    return end;
  }

  at(hostname: string): FakeTransport | null {
    return this.#ends.get(hostname) ?? null;
  }

  /** Cuts `hostname` off from all others; what is on its way is lost. */
  isolate(hostname: string): void {
    for (const other of this.#ends.keys()) {
      if (other !== hostname) this.cut(hostname, other);
    }
  }

  /** Cuts both ways between two. */
  cut(a: string, b: string): void {
    this.#cuts.add(`${a}>${b}`).add(`${b}>${a}`);
    for (const [from, to] of [[a, b], [b, a]] as const) {
      this.#ends.get(from)?.breakLinkTo(to);
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  isCut(a: string, b: string): boolean {
    return this.#cuts.has(`${a}>${b}`);
  }

  remove(end: FakeTransport): void {
    if (this.#ends.get(end.hostname) !== end) return;
    this.#ends.delete(end.hostname);
    for (const other of this.#ends.values()) other.breakLinkTo(end.hostname);
  }
}

interface Link {
  readonly peer: PeerAddress;
  /** `null` while it is down. */
  remote: FakeTransport | null;
  queue: Parcel[];
  isFlushing: boolean;
  lastRefusal: PeerRefusal | null;
}

/** One member's end: handshakes as the real one, without bytes. */
export class FakeTransport implements Transport {
  readonly hostname: string;
  readonly host: TransportHost;
  readonly address: { readonly hostname: string; readonly port: number };
  readonly counters = {
    messagesSent: 0,
    messagesReceived: 0,
    messagesDropped: 0,
    bytesSent: 0,
    bytesReceived: 0,
    connects: 0,
    refusals: 0,
  };
  readonly #network: FakeNetwork;
  readonly #links = new Map<RaftId, Link>();
  #isClosed = false;

  constructor(network: FakeNetwork, host: TransportHost, hostname: string) {
    this.#network = network;
    this.host = host;
    this.hostname = hostname;
    this.address = { hostname, port: 1 };
  }

  setPeers(peers: readonly PeerAddress[]): void {
    const wanted = new Map(peers.map((peer) => [peer.id, peer]));
    for (const [id, { peer }] of this.#links) {
      if (wanted.get(id)?.hostname === peer.hostname) wanted.delete(id);
      else {
        this.#links.delete(id);
        // The member let go of hears nobody here either.
        this.#network.at(peer.hostname)?.breakLinkTo(this.hostname);
      }
    }
    for (const peer of wanted.values()) {
      const link = {
        peer,
        remote: null,
        queue: [],
        isFlushing: false,
        lastRefusal: null,
      };
      this.#links.set(peer.id, link);
      this.#dialLater(link, LATENCY_MS);
    }
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#post(message.to, { message: Object.freeze({ ...message }) });
    }
  }

  sendPacket(to: RaftId, packet: Uint8Array): boolean {
    if (this.#network.loses(packet)) return true;
    return this.#post(to, { packet: packet.slice() });
  }

  /** A connection of its own, which cuts do not reach. */
  openStream(to: RaftId): Promise<PeerStream> {
    const remote = this.#links.get(to)?.remote ?? null;
    if (remote === null) return Promise.reject(new ConnectionLostError("peer"));
    const own = this.host.identity().id;
    const { near, far } = new StreamPair(new StreamFaults(), own, to);
    remote.host.onStream(own, far);
    return Promise.resolve(near);
  }

  links(): readonly PeerLinkStatus[] {
    return [...this.#links.values()].map(({ peer, remote, lastRefusal }) => ({
      id: peer.id,
      name: peer.name,
      isUp: remote !== null,
      hears: this.#network.at(peer.hostname)?.hasLinkTo(this) ?? false,
      queuedBytes: 0,
      lastRefusal,
    }));
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#network.remove(this);
    return Promise.resolve();
  }

  hasLinkTo(remote: FakeTransport): boolean {
    return [...this.#links.values()].some((link) => link.remote === remote);
  }

  /** What is on its way to `hostname` is lost; the link is dialled again. */
  breakLinkTo(hostname: string): void {
    for (const link of this.#links.values()) {
      if (link.peer.hostname !== hostname || link.remote === null) continue;
      link.remote = null;
      link.queue = [];
      this.host.onLinkDown(link.peer.id);
      this.#dialLater(link, REDIAL_MS);
    }
  }

  #dialLater(link: Link, delayMs: number): void {
    this.#network.clock.after(delayMs, () => {
      const isWanted = this.#links.get(link.peer.id) === link;
      if (this.#isClosed || !isWanted || link.remote !== null) return;
      if (!this.#dial(link)) this.#dialLater(link, REDIAL_MS);
    });
  }

  #dial(link: Link): boolean {
    const { id, hostname } = link.peer;
    const remote = this.#network.at(hostname);
    if (remote === null || this.#network.isCut(this.hostname, hostname)) {
      return false;
    }
    const refused = remote.host.vet(this.host.identity());
    if (refused !== null) {
      link.lastRefusal = refused;
      this.host.onRefused(id, refused);
      return false;
    }
    const identity = remote.host.identity();
    if (identity.id !== id || this.host.vet(identity) !== null) return false;
    link.lastRefusal = null;
    link.remote = remote;
    this.counters.connects += 1;
    this.host.onLinkUp(id);
    return true;
  }

  #post(to: RaftId, parcel: Parcel): boolean {
    const link = this.#links.get(to);
    if (link === undefined || link.remote === null) {
      this.counters.messagesDropped += 1;
      return false;
    }
    link.queue.push(parcel);
    if (!link.isFlushing) {
      link.isFlushing = true;
      this.#network.clock.after(LATENCY_MS, () => this.#flush(link));
    }
    return true;
  }

  #flush(link: Link): void {
    link.isFlushing = false;
    const parcels = link.queue;
    link.queue = [];
    const from = this.host.identity().id;
    for (const parcel of parcels) {
      const remote = link.remote;
      if (remote === null || remote.#isClosed) return;
      if ("message" in parcel) remote.host.onMessage(from, parcel.message);
      else {
        const bytes = new Uint8Array(parcel.packet);
        remote.host.onPacket(from, bytes.length === 0 ? EMPTY_BYTES : bytes);
      }
    }
  }
}
