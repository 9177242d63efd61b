import type { Clock } from "../io/clock.ts";
import type { EventLog } from "../io/log.ts";
import type { Net, NetListener, NetListenOptions } from "../io/net.ts";
import type { Random } from "../io/random.ts";
import { type Message, messageName, MSG_SNAP } from "../raft/message.ts";
import { assert } from "../base/assert.ts";
import type { RaftId } from "../raft/types.ts";
import { Acceptor } from "./acceptor.ts";
import { outgoingMessage, outgoingPacket } from "./batch.ts";
import { zeroCounters } from "./counters.ts";
import { dialPeer, writeRefusal } from "./dial.ts";
import { PeerRefusedError, PeerUnreachableError } from "./errors.ts";
import {
  FRAME_BYTES_MAX,
  MESSAGE_ENTRIES_MAX,
  PACKET_BYTES_MAX,
} from "./limits.ts";
import { Link } from "./link.ts";
import type { DialTls, TransportParts } from "./parts.ts";
import { isWireMessage } from "./message_codec.ts";
import type {
  PeerAddress,
  PeerLinkStatus,
  PeerProver,
  PeerStream,
  Transport,
  TransportCounters,
  TransportHost,
} from "./port.ts";
import { FrameStream } from "./stream.ts";
import { StrangerLog } from "./stranger_log.ts";

export interface TransportOptions {
  readonly net: Net;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly listen: NetListenOptions;
  /** Peers are dialled with TLS, and their names verified. */
  readonly dialTls?: DialTls;
  readonly prover: PeerProver;
  readonly host: TransportHost;
}

/**
 * Opens the listener and takes connections of peers; dials none before
 * `setPeers`.
 *
 * @throws {ListenError}
 */
export async function openTransport(
  options: TransportOptions,
): Promise<Transport> {
  const { net, clock, random, log, prover, host, dialTls } = options;
  const listener = await net.listen(options.listen);
  return new NetTransport(listener, {
    net,
    clock,
    random,
    log,
    prover,
    host,
    dialTls,
    strangers: new StrangerLog(log, clock),
    counters: zeroCounters(),
  });
}

/** Links and acceptor of one node. */
class NetTransport implements Transport {
  readonly address: { readonly hostname: string; readonly port: number };
  readonly #parts: TransportParts;
  readonly #acceptor: Acceptor;
  readonly #links = new Map<RaftId, Link>();
  /** Links that end, and streams that were dialled. */
  readonly #ending = new Set<Promise<void>>();
  readonly #streams = new Set<FrameStream>();
  /** Peers without a link whose loss was told. */
  readonly #unlinked = new Set<RaftId>();
  readonly #dials = new Set<AbortController>();
  #isClosed = false;

  constructor(listener: NetListener, parts: TransportParts) {
    this.address = listener.address;
    this.#parts = parts;
    this.#acceptor = new Acceptor(
      listener,
      parts,
      (peer) => this.#links.get(peer)?.hurry(),
    );
  }

  get counters(): TransportCounters {
    return this.#parts.counters;
  }

  setPeers(peers: readonly PeerAddress[]): void {
    assert(!this.#isClosed, "a closed transport gets no peers");
    const own = this.#parts.host.identity().id;
    const wanted = new Map(peers.map((peer) => [peer.id, peer]));
    wanted.delete(own);
    for (const [id, link] of this.#links) {
      if (wanted.has(id)) continue;
      this.#links.delete(id);
      this.#track(link.close(0));
    }
    for (const [id, peer] of wanted) {
      const link = this.#links.get(id);
      if (link === undefined) this.#links.set(id, new Link(peer, this.#parts));
      else link.moveTo(peer);
    }
    this.#unlinked.clear();
    this.#acceptor.vetAgain();
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.#sendOne(message);
  }

  sendPacket(to: RaftId, packet: Uint8Array): boolean {
    const link = this.#links.get(to);
    if (link === undefined) return false;
    if (packet.length <= PACKET_BYTES_MAX) {
      return link.offer(outgoingPacket(packet));
    }
    this.#tooLong("a packet", packet.length);
    link.drop(0);
    return false;
  }

  async openStream(to: RaftId): Promise<PeerStream> {
    const link = this.#links.get(to);
    if (link === undefined || this.#isClosed) {
      throw new PeerUnreachableError(`raft id ${to}`, "it is no peer");
    }
    const { peer } = link;
    const abort = new AbortController();
    this.#dials.add(abort);
    const dialled = await dialPeer(peer, "stream", this.#parts, abort);
    this.#dials.delete(abort);
    switch (dialled.kind) {
      case "refused":
        writeRefusal(peer, dialled, this.#parts);
        throw new PeerRefusedError(peer.name, dialled.refusal);
      case "unreachable":
        throw new PeerUnreachableError(peer.name, dialled.reason);
      case "proven":
        return this.#keep(
          new FrameStream(to, dialled.connection, this.#parts.clock),
        );
    }
  }

  links(): readonly PeerLinkStatus[] {
    return [...this.#links.values()].map((link) => ({
      id: link.peer.id,
      name: link.peer.name,
      isUp: link.isUp,
      hears: this.#acceptor.hears(link.peer.id),
      queuedBytes: link.queuedBytes,
      lastRefusal: link.lastRefusal,
    }));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const abort of this.#dials) abort.abort();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    for (const stream of this.#streams) stream.abandon();
    await this.#acceptor.close();
    await Promise.all(this.#ending);
  }

  #sendOne(message: Message): void {
    // A checkpoint goes over a stream, by the node's own doing.
    if (message.type === MSG_SNAP) return;
    assert(isWireMessage(message.type), "a member's own messages stay in it");
    const { counters, host, clock } = this.#parts;
    const link = this.#links.get(message.to);
    if (link === undefined) {
      counters.messagesDropped += 1;
      if (this.#unlinked.has(message.to) || this.#isClosed) return;
      this.#unlinked.add(message.to);
      this.#track(
        new Promise((resolve) =>
          clock.soon(() => {
            if (!this.#isClosed) host.onLinkDown(message.to);
            resolve();
          })
        ),
      );
      return;
    }
    const item = outgoingMessage(message);
    const isShort = item.bytes <= FRAME_BYTES_MAX &&
      message.entries.length <= MESSAGE_ENTRIES_MAX;
    if (isShort) link.offer(item);
    else {
      this.#tooLong(messageName(message.type), item.bytes);
      link.drop(1);
    }
  }

  #tooLong(what: string, bytes: number): void {
    this.#parts.strangers.write(
      "message_too_long",
      what,
      { message: what, bytes },
    );
  }

  #keep(stream: FrameStream): FrameStream {
    this.#streams.add(stream);
    this.#track(stream.ended.then(() => void this.#streams.delete(stream)));
    if (this.#isClosed) stream.abandon();
    return stream;
  }

  #track(ending: Promise<void>): void {
    const tracked: Promise<void> = ending
      .finally(() => this.#ending.delete(tracked));
    this.#ending.add(tracked);
  }
}
