import type { DiskFile } from "../../io/disk.ts";
import { DiskFailedError } from "../../io/errors.ts";
import type { FrameChannel } from "./channel.ts";
import { CheckpointInterruptedError } from "./errors.ts";
import type { Frame } from "./frame.ts";
import type { Pace } from "./pace.ts";
import type { CheckpointFile } from "./port.ts";

/** One attempt to bring a file to a member. */
export interface DeliveryParts {
  readonly channel: FrameChannel;
  readonly checkpoint: CheckpointFile;
  /** Open at `checkpoint.path`. */
  readonly file: DiskFile;
  readonly pace: Pace;
  /** Ends waits for the turn of a piece. */
  readonly signal: AbortSignal;
  /** The member begins at `offset`. */
  readonly onResume: (offset: number) => void;
  /** The stream took `bytes` more. */
  readonly onSent: (bytes: number) => void;
  /** The log still reaches back to the file: it is worth the rest. */
  readonly isUseful: () => boolean;
}

/** The answer that ends a transfer, or that the file became useless. */
export type Delivery =
  | Exclude<
    Frame,
    { type: "offer" | "resume" | "piece" | "end" | "working" }
  >
  | { readonly type: "useless" };

/**
 * Offers the file, sends what the member lacks and waits for its verdict.
 *
 * @throws {CheckpointInterruptedError} When the member says what it must not,
 * stalls, or closes.
 * @throws {DiskError} When the file cannot be read.
 * @throws {NodeError} When the stream breaks.
 */
export async function deliver(parts: DeliveryParts): Promise<Delivery> {
  const { channel, checkpoint } = parts;
  const { digest, bytes, index, term } = checkpoint;
  await channel.send({ type: "offer", digest, bytes, index, term });
  const answer = await channel.receive();
  if (answer.type !== "resume") return verdictOf(answer);
  if (answer.offset > bytes) throw stray();
  parts.onResume(answer.offset);
  const early = await sendPieces(parts, answer.offset);
  if (early !== null) return early;
  await channel.send({ type: "end" });
  for (;;) {
    const frame = await channel.receive();
    if (frame.type !== "working") return verdictOf(frame);
  }
}

/** What ends the transfer before the end of the file; `null`: nothing does. */
async function sendPieces(
  parts: DeliveryParts,
  from: number,
): Promise<Delivery | null> {
  const { channel, checkpoint, pace, signal } = parts;
  let isAnswered = false;
  const wasAnswered = () => isAnswered;
  channel.next().then(() => isAnswered = true, () => {});
  for (let offset = from; offset < checkpoint.bytes;) {
    const data = await readPiece(parts, offset);
    await pace.take(data.length, signal);
    try {
      if (!wasAnswered()) await channel.send({ type: "piece", offset, data });
    } catch (error) {
      // A member that gave up has said why, and then closed.
      if (!wasAnswered()) throw error;
    }
    if (wasAnswered()) return verdictOf(await channel.receive());
    if (!parts.isUseful()) return { type: "useless" };
    offset += data.length;
    parts.onSent(data.length);
  }
  return null;
}

async function readPiece(
  { file, checkpoint, pace }: DeliveryParts,
  offset: number,
): Promise<Uint8Array> {
  const length = Math.min(pace.pieceBytes, checkpoint.bytes - offset);
  const data = await file.readAt(offset, length);
  if (data.length < length) {
    throw new DiskFailedError("read", checkpoint.path);
  }
  return data;
}

function verdictOf(frame: Frame): Delivery {
  switch (frame.type) {
    case "offer":
    case "resume":
    case "piece":
    case "end":
    case "working":
      throw stray();
    default:
      return frame;
  }
}

function stray(): CheckpointInterruptedError {
  return new CheckpointInterruptedError("the member sent a stray frame");
}
