import { type Bytes, getUint64, setUint64, viewOf } from "../base/bytes.ts";
import { CommandMalformedError } from "./errors.ts";

/*
 *     offset  bytes  field
 *     0       1      format = 1
 *     1       8      proposal id u64
 *     9       ..     payload, or its envelope
 */
const FORMAT = 1;
const HEAD_BYTES = 9;

/** Data of one log entry. */
export interface Proposal {
  /** How a reply finds its caller; outside any envelope for that. */
  readonly proposalId: number;
  /** A view: keep the entry's bytes unchanged while it is in use. */
  readonly payload: Uint8Array;
}

/** Encodes the data of a log entry; `proposalId` is a safe integer ≥ 0. */
export function encodeProposal(
  proposalId: number,
  payload: Uint8Array,
): Bytes {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  bytes[0] = FORMAT;
  setUint64(viewOf(bytes), 1, proposalId);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** @throws {CommandMalformedError} For anything `encodeProposal` never wrote. */
export function decodeProposal(bytes: Uint8Array): Proposal {
  if (bytes.length < HEAD_BYTES) {
    throw new CommandMalformedError("it must not end early", bytes.length);
  }
  if (bytes[0] !== FORMAT) {
    throw new CommandMalformedError("its format must be 1", 0);
  }
  const proposalId = getUint64(viewOf(bytes), 1);
  if (proposalId === null) {
    throw new CommandMalformedError("numbers must stay below 2^53", 1);
  }
  return { proposalId, payload: bytes.subarray(HEAD_BYTES) };
}
