import type { Timer } from "../io/clock.ts";
import { Backoff } from "./backoff.ts";
import type { Outgoing } from "./batch.ts";
import { dialPeer, writeRefusal } from "./dial.ts";
import type { FrameConnection } from "./frame_connection.ts";
import { CLOSE_MS_MAX, STEADY_MS_MIN } from "./limits.ts";
import { LinkSession } from "./link_session.ts";
import type { TransportParts } from "./parts.ts";
import type { PeerAddress, PeerRefusal } from "./port.ts";
import { SendQueue } from "./send_queue.ts";

/**
 * Messages from this node to one peer: dials, sends, dials again.
 *
 * 1. What is offered while the link is down is dropped, not kept for later.
 * 2. `onLinkDown` is told once after each `onLinkUp`, and once before the
 *    first; never from within `offer`.
 * 3. After an overflow `onLinkUp` is told again when the queue has run empty.
 */
export class Link {
  #peer: PeerAddress;
  readonly #parts: TransportParts;
  readonly #queue = new SendQueue();
  readonly #backoff: Backoff;
  #session: LinkSession | null = null;
  #lastRefusal: PeerRefusal | null = null;
  #loss: "none" | "due" | "told" = "none";
  /** Ends when a due loss was told, or nobody needs to know any more. */
  #telling: Promise<void> = Promise.resolve();
  #hasMoved = false;
  #isClosed = false;
  #isPausing = false;
  /** Ends the wait for a dial or between dials. */
  #wake: () => void = () => {};
  readonly #running: Promise<void>;

  constructor(peer: PeerAddress, parts: TransportParts) {
    this.#peer = peer;
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
    this.#running = this.#run();
  }

  get peer(): PeerAddress {
    return this.#peer;
  }

  get isUp(): boolean {
    return this.#session !== null;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get lastRefusal(): PeerRefusal | null {
    return this.#lastRefusal;
  }

  /** Sends `item` in its turn; false when it is dropped. */
  offer(item: Outgoing): boolean {
    const session = this.#session;
    if (session !== null && !this.#isClosed && this.#queue.offer(item)) {
      session.flush();
      return true;
    }
    this.drop(item.kind === "message" ? 1 : 0);
    return false;
  }

  /** Something for the peer was lost; `messageCount` of it are messages. */
  drop(messageCount: number): void {
    this.#parts.counters.messagesDropped += messageCount;
    if (this.#loss !== "none" || this.#isClosed) return;
    this.#loss = "due";
    // Later: the node may be amid a turn, and its core must not be re-entered.
    this.#telling = new Promise((resolve) =>
      this.#parts.clock.soon(() => {
        this.#tellLoss();
        resolve();
      })
    );
  }

  /** Takes the peer's new address or name; dials at once when it differs. */
  moveTo(peer: PeerAddress): void {
    const { hostname, port, name } = this.#peer;
    this.#peer = peer;
    if (
      hostname === peer.hostname && port === peer.port && name === peer.name
    ) return;
    this.#hasMoved = true;
    this.#backoff.reset();
    this.#session?.close();
    this.#wake();
  }

  /** Ends a wait between dials: the peer has dialled, so it is up. */
  hurry(): void {
    if (this.#isPausing) this.#wake();
  }

  /** Lets what is queued leave for at most `flushMs`, then ends. */
  async close(flushMs = CLOSE_MS_MAX): Promise<void> {
    this.#isClosed = true;
    const session = this.#session;
    if (session !== null && flushMs > 0) {
      const over = this.#parts.clock.after(flushMs, () => session.close());
      await session.drained();
      over.cancel();
    }
    session?.close();
    this.#wake();
    await this.#running;
    await this.#telling;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      this.#hasMoved = false;
      const connection = await this.#dial();
      if (connection !== null) await this.#serve(connection);
      if (!this.#hasMoved && !this.#isClosed) await this.#pause();
    }
  }

  /** A proven connection, or `null` when there is none for now. */
  async #dial(): Promise<FrameConnection | null> {
    const abort = new AbortController();
    this.#wake = () => abort.abort();
    const dialled = await dialPeer(
      this.#peer,
      "messages",
      this.#parts,
      abort,
    );
    if (this.#hasMoved || this.#isClosed) {
      if (dialled.kind === "proven") dialled.connection.close();
      return null;
    }
    switch (dialled.kind) {
      case "proven":
        this.#lastRefusal = null;
        return dialled.connection;
      case "refused":
        this.#lastRefusal = dialled.refusal;
        writeRefusal(this.#peer, dialled, this.#parts);
        if (dialled.by === "them" && dialled.isProven) {
          this.#parts.host.onRefused(this.#peer.id, dialled.refusal);
        }
        return null;
      case "unreachable":
        this.#event("peer_unreachable", dialled.reason);
        return null;
    }
  }

  async #serve(connection: FrameConnection): Promise<void> {
    const { clock, counters } = this.#parts;
    const upAtMs = clock.monotonicMs();
    const session = new LinkSession(connection, {
      queue: this.#queue,
      clock,
      counters,
      onDrained: () => {
        if (this.#loss !== "none") this.#tellUp();
      },
    });
    this.#session = session;
    this.#parts.log.write("info", "link_up", this.#fields());
    const running = session.run();
    this.#tellUp();
    const reason = await running;
    this.#session = null;
    this.drop(this.#queue.clear());
    if (this.#isClosed) return;
    this.#parts.log.write("warn", "link_down", { ...this.#fields(), reason });
    if (clock.monotonicMs() - upAtMs >= STEADY_MS_MIN) this.#backoff.reset();
  }

  async #pause(): Promise<void> {
    this.#isPausing = true;
    await new Promise<void>((resolve) => {
      const timer: Timer = this.#parts.clock.after(
        this.#backoff.nextMs(),
        resolve,
      );
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#isPausing = false;
  }

  #tellLoss(): void {
    if (this.#loss !== "due" || this.#isClosed) return;
    this.#loss = "told";
    this.#parts.host.onLinkDown(this.#peer.id);
  }

  #tellUp(): void {
    this.#tellLoss();
    this.#loss = "none";
    this.#parts.host.onLinkUp(this.#peer.id);
  }

  #event(event: string, reason: string): void {
    const { peer, remote } = this.#fields();
    const source = `${peer} ${remote} ${reason}`;
    this.#parts.strangers.write(event, source, { peer, remote, reason });
  }

  #fields(): { readonly peer: string; readonly remote: string } {
    const { name, hostname, port } = this.#peer;
    return { peer: name, remote: `${hostname}:${port}` };
  }
}
