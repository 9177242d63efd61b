import { unreachable } from "../base/assert.ts";
import { ConnectionLostError, ListenError } from "../io/errors.ts";
import type { NetConnection, NetListener } from "../io/net.ts";
import type { RaftId } from "../raft/types.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import { FrameConnection } from "./frame_connection.ts";
import { acceptHandshake, type Outcome } from "./handshake.ts";
import { Inbound } from "./inbound.ts";
import {
  HELLO_MS_MAX,
  REDIAL_MS_MIN,
  STREAMS_PER_PEER_MAX,
  UNPROVEN_MAX,
  UNPROVEN_PER_HOST_MAX,
} from "./limits.ts";
import type { TransportParts } from "./parts.ts";
import type { PeerIdentity } from "./port.ts";
import { FrameStream } from "./stream.ts";

/** Takes connections in, and lets only proven members of the cluster talk. */
export class Acceptor {
  readonly #listener: NetListener;
  readonly #parts: TransportParts;
  readonly #onHeard: (peer: RaftId) => void;
  readonly #unproven = new Set<FrameConnection>();
  readonly #inbounds = new Map<RaftId, Inbound>();
  readonly #streams = new Set<FrameStream>();
  /** Every connection that is served. */
  readonly #serving = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  #isClosed = false;

  /** `onHeard` is told of every peer that begins to send messages. */
  constructor(
    listener: NetListener,
    parts: TransportParts,
    onHeard: (peer: RaftId) => void,
  ) {
    this.#listener = listener;
    this.#parts = parts;
    this.#onHeard = onHeard;
    this.#running = this.#run();
  }

  /** Whether a connection from `peer` is open. */
  hears(peer: RaftId): boolean {
    return this.#inbounds.has(peer);
  }

  /** Judges again who is connected: the membership has changed. */
  vetAgain(): void {
    for (const inbound of this.#inbounds.values()) {
      if (this.#parts.host.vet(inbound.identity) !== null) inbound.close();
    }
  }

  /** Ends every connection, without a word. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listener.close();
    for (const connection of this.#unproven) connection.close();
    for (const inbound of this.#inbounds.values()) inbound.close();
    for (const stream of this.#streams) stream.abandon();
    await this.#running;
    await Promise.all(this.#serving);
  }

  async #run(): Promise<void> {
    for (;;) {
      try {
        const accepted = await this.#listener.accept();
        if (accepted === null) return;
        this.#admit(accepted);
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        // Too many open files, for one: it may pass.
        this.#parts.strangers.write(
          "peer_accept_failed",
          "",
          { address: error.address, reason: error.message },
        );
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) =>
      void this.#parts.clock.after(REDIAL_MS_MIN, resolve)
    );
  }

  /** Serves a connection, unless too many are there that nobody vouches for. */
  #admit(accepted: NetConnection): void {
    const connection = new FrameConnection(accepted, this.#parts.counters);
    const { hostname } = connection.remote;
    let fromHost = 0;
    for (const { remote } of this.#unproven) {
      if (remote.hostname === hostname) fromHost += 1;
    }
    if (
      this.#isClosed || this.#unproven.size >= UNPROVEN_MAX ||
      fromHost >= UNPROVEN_PER_HOST_MAX
    ) {
      connection.close();
      this.#event("peer_crowd", connection, "too many without a proof");
      return;
    }
    const serving: Promise<void> = this.#serve(connection)
      .finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
  }

  async #serve(connection: FrameConnection): Promise<void> {
    this.#unproven.add(connection);
    const outcome = await this.#shakeHands(connection);
    this.#unproven.delete(connection);
    switch (outcome.kind) {
      case "proven":
        if (connection.isClosed) return;
        return outcome.purpose === "messages"
          ? await this.#hear(outcome.identity, connection)
          : await this.#stream(outcome.identity, connection);
      case "refused":
        this.#onRefusal(outcome, connection);
        break;
      case "ended":
        break;
      default:
        unreachable(outcome);
    }
    connection.close();
  }

  /** The handshake with its deadline; what breaks it ends it. */
  async #shakeHands(connection: FrameConnection): Promise<Outcome> {
    let isLate = false;
    const late = this.#parts.clock.after(HELLO_MS_MAX, () => {
      isLate = true;
      connection.close();
    });
    try {
      return await acceptHandshake(connection, this.#parts);
    } catch (error) {
      if (error instanceof TransportFrameInvalidError) {
        this.#event("peer_garbage", connection, error.finding);
      } else if (!(error instanceof ConnectionLostError)) throw error;
      return { kind: "ended" };
    } finally {
      late.cancel();
      if (isLate) this.#event("peer_garbage", connection, "no hello in time");
    }
  }

  #onRefusal(
    outcome: Outcome & { readonly kind: "refused" },
    connection: FrameConnection,
  ): void {
    const { refusal, by, isProven, claim } = outcome;
    this.#parts.counters.refusals += 1;
    // One that finds our proof wrong has not given its own: so do we refuse.
    const isOurs = by === "us" || !isProven;
    this.#event(
      isOurs ? "peer_refused" : "peer_refused_us",
      connection,
      refusal,
      claim,
    );
    if (!isOurs && claim !== null) {
      this.#parts.host.onRefused(claim.id, refusal);
    }
  }

  async #hear(
    identity: PeerIdentity,
    connection: FrameConnection,
  ): Promise<void> {
    const { id } = identity;
    // The older one may be half-open, and its peer knows better.
    this.#inbounds.get(id)?.close();
    const inbound = new Inbound(identity, connection, this.#parts);
    this.#inbounds.set(id, inbound);
    this.#onHeard(id);
    await inbound.run();
    if (this.#inbounds.get(id) === inbound) this.#inbounds.delete(id);
  }

  async #stream(
    identity: PeerIdentity,
    connection: FrameConnection,
  ): Promise<void> {
    const { id } = identity;
    let open = 0;
    for (const { peer } of this.#streams) if (peer === id) open += 1;
    if (open >= STREAMS_PER_PEER_MAX) {
      connection.close();
      this.#event("peer_crowd", connection, "too many streams", identity);
      return;
    }
    const stream = new FrameStream(id, connection, this.#parts.clock);
    this.#streams.add(stream);
    this.#parts.host.onStream(id, stream);
    await stream.ended;
    this.#streams.delete(stream);
  }

  #event(
    event: string,
    { remote, remoteText }: FrameConnection,
    reason: string,
    claim: PeerIdentity | null = null,
  ): void {
    const who = claim === null ? {} : { peer: claim.name, peerId: claim.id };
    // Garbage may vary its reason at will, a refusal may not.
    const detail = event === "peer_garbage" ? "" : ` ${reason}`;
    this.#parts.strangers.write(
      event,
      `${remote.hostname}${detail}`,
      { remote: remoteText, ...who, reason },
    );
  }
}
