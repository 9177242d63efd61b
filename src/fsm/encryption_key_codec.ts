import {
  KEK_ID_BYTES_MAX,
  KEY_PURPOSES,
  type KeyWrap,
  PURPOSE_BYTE,
  WRAPPED_BYTES_MAX,
  type WrappedKey,
  WRAPS_MAX,
} from "../base/data_key.ts";
import { CommandMalformedError } from "./errors.ts";
import type {
  DataKey as DataKeyMessage,
  KeyWrap as KeyWrapMessage,
} from "./gen/command_pb.ts";

/** Lengths of the two fields take 2 bytes each; framing 3. */
const WRAP_BYTES_MAX = 3 + (3 + KEK_ID_BYTES_MAX) + (3 + WRAPPED_BYTES_MAX);
/** 6 of id, 2 of purpose, 34 of commitment, 9 of time, and the wraps. */
export const DATA_KEY_BYTES_MAX = 51 + WRAPS_MAX * WRAP_BYTES_MAX;

export function keyToMessage(key: WrappedKey): DataKeyMessage {
  return {
    $typeName: "sealkv.fsm.v1.DataKey",
    id: key.id,
    purpose: PURPOSE_BYTE[key.purpose],
    commitment: key.commitment,
    createdMs: BigInt(key.createdMs),
    wraps: key.wraps.map(wrapToMessage),
  };
}

export function wrapToMessage({ kek, wrapped }: KeyWrap): KeyWrapMessage {
  return { $typeName: "sealkv.fsm.v1.KeyWrap", kek, wrapped };
}

/**
 * Reads a message whose values are yet to be checked, but for the purpose.
 *
 * @throws {CommandMalformedError} For none, and for an unknown purpose.
 */
export function keyFromMessage(
  message: DataKeyMessage | undefined,
): WrappedKey {
  if (message === undefined) throw malformed("a key must be there");
  const purpose = KEY_PURPOSES.find((one) =>
    PURPOSE_BYTE[one] === message.purpose
  );
  if (purpose === undefined) throw malformed("a key's purpose must be known");
  return {
    id: message.id,
    purpose,
    commitment: new Uint8Array(message.commitment),
    createdMs: Number(message.createdMs),
    wraps: message.wraps.map(wrapFromMessage),
  };
}

export function wrapFromMessage({ kek, wrapped }: KeyWrapMessage): KeyWrap {
  return { kek, wrapped: new Uint8Array(wrapped) };
}

function malformed(rule: string): CommandMalformedError {
  return new CommandMalformedError(rule, 0);
}
