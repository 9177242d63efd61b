import { type Bytes, concatBytes } from "../base/bytes.ts";
import { CommandMalformedError, CommandUnknownError } from "./errors.ts";
import { decodePayload } from "./payload.ts";
import type { MemberId } from "./types.ts";
import { WireWriter } from "./wire.ts";

const NOW_FIELD = 1;
/** Tag and a varint of at most 2^53. */
const NOW_BYTES_MAX = 9;

/**
 * What a leader appends for another member's payload: a batch without a time
 * gets `nowMs`, the leader's; an announcement of the sender itself and a
 * registration of its own sessions stay as they are. It is a copy.
 *
 * `null` for everything else: what a member could not apply would halt all of
 * them at that entry, and who speaks for another shuts it out.
 */
export function stampForwarded(
  payload: Uint8Array,
  { nowMs, sender }: {
    readonly nowMs: number;
    /** The member that asks. */
    readonly sender: { readonly id: MemberId; readonly fullNodeId: bigint };
  },
): Bytes | null {
  try {
    const decoded = decodePayload(payload);
    if (decoded.kind === "announcement") {
      return decoded.member.id === sender.id ? payload.slice() : null;
    }
    if (decoded.kind === "encryption") {
      // All other changes of encryption are the leader's own.
      if (decoded.change.kind !== "registration") return null;
      return decoded.change.fullNodeId === sender.fullNodeId
        ? payload.slice()
        : null;
    }
    if (decoded.kind !== "batch" || decoded.nowMs !== 0) return null;
    return withTime(payload, nowMs);
  } catch (error) {
    if (error instanceof CommandMalformedError) return null;
    if (error instanceof CommandUnknownError) return null;
    throw error;
  }
}

/** Field 1 comes first, right behind the payload's own tag. */
function withTime(payload: Uint8Array, nowMs: number): Bytes {
  const writer = new WireWriter(NOW_BYTES_MAX);
  writer.numberField(NOW_FIELD, nowMs);
  return concatBytes(
    payload.subarray(0, 1),
    writer.finish(),
    payload.subarray(1),
  );
}
