import { assert } from "../base/assert.ts";
import type { RaftId } from "../raft/types.ts";
import type { SendPacket } from "./forwarding.ts";
import { encodePacket, type ExtraPacket } from "./packet.ts";

/** What a packet of a topic is handed to; `body` is a view of the frame. */
export type ExtraHandler = (from: RaftId, body: Uint8Array) => void;

/**
 * Packets between members for whoever registers a topic: at most once each, in
 * order per link, and lost with it. Those of an unknown topic are dropped.
 */
export class ExtraPackets {
  readonly #send: SendPacket;
  readonly #handlers = new Map<number, ExtraHandler>();

  constructor(send: SendPacket) {
    this.#send = send;
  }

  /** `topic` is a u8 that nobody else registers. */
  on(topic: number, handler: ExtraHandler): void {
    assert(!this.#handlers.has(topic), "a topic has one handler");
    this.#handlers.set(topic, handler);
  }

  /** False when there is no link to `to`, or no room on it. */
  send(to: RaftId, topic: number, body: Uint8Array): boolean {
    return this.#send(to, encodePacket({ kind: "extra", topic, body }));
  }

  deliver(from: RaftId, { topic, body }: ExtraPacket): void {
    this.#handlers.get(topic)?.(from, body);
  }
}
