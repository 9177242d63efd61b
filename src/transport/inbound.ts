import { ConnectionLostError } from "../io/errors.ts";
import { isForwardedMessage } from "../raft/message.ts";
import type { RaftId } from "../raft/types.ts";
import { decodeBatch, type Incoming } from "./batch.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import { FRAME_ALIVE, FRAME_BATCH } from "./frame.ts";
import type { FrameConnection } from "./frame_connection.ts";
import { Keepalive } from "./keepalive.ts";
import type { TransportParts } from "./parts.ts";
import type { PeerIdentity } from "./port.ts";

/** Messages from one proven peer to this node, until its connection ends. */
export class Inbound {
  /** Who proved itself. */
  readonly identity: PeerIdentity;
  readonly #connection: FrameConnection;
  readonly #parts: TransportParts;
  readonly #ownId: RaftId;

  constructor(
    identity: PeerIdentity,
    connection: FrameConnection,
    parts: TransportParts,
  ) {
    this.identity = identity;
    this.#connection = connection;
    this.#parts = parts;
    this.#ownId = parts.host.identity().id;
  }

  /** Hands the node what arrives, in order, until the connection ends. */
  async run(): Promise<void> {
    const connection = this.#connection;
    const keepalive = new Keepalive(connection, this.#parts.clock);
    try {
      for (;;) {
        const frame = await connection.next();
        if (frame === null) return;
        if (frame.type === FRAME_ALIVE) continue;
        if (frame.type !== FRAME_BATCH) {
          throw new TransportFrameInvalidError(
            `type ${frame.type} among messages`,
          );
        }
        for (const part of decodeBatch(frame.body)) {
          this.#deliver(part);
          // The node may have closed it in answer.
          if (connection.isClosed) return;
        }
      }
    } catch (error) {
      if (error instanceof ConnectionLostError) return;
      if (!(error instanceof TransportFrameInvalidError)) throw error;
      const { name } = this.identity;
      this.#parts.strangers.write(
        "peer_frame_invalid",
        name,
        { peer: name, remote: connection.remoteText, reason: error.finding },
      );
    } finally {
      keepalive.stop();
      connection.close();
    }
  }

  /** Nothing more is handed to the node after this. */
  close(): void {
    this.#connection.close();
  }

  #deliver(part: Incoming): void {
    const { host, counters } = this.#parts;
    const from = this.identity.id;
    if (part.kind === "packet") return host.onPacket(from, part.packet);
    const { message } = part;
    if (message.to !== this.#ownId) {
      throw new TransportFrameInvalidError("a message for another member");
    }
    // What is passed on keeps the name of its first sender.
    if (message.from !== from && !isForwardedMessage(message.type)) {
      throw new TransportFrameInvalidError("a message of another member");
    }
    counters.messagesReceived += 1;
    host.onMessage(from, message);
  }
}
