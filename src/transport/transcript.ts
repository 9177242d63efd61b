import { type Bytes, concatBytes, utf8, viewOf } from "../base/bytes.ts";
import { refusalCode } from "./hello.ts";
import type { PeerRefusal } from "./port.ts";

/** The end of a connection that says something. */
export type Side = "dialler" | "acceptor";

/** What both ends have said before anyone proves anything. */
export interface Transcript {
  /** Body of the hello. */
  readonly hello: Bytes;
  /** Body of the challenge, without the proof. */
  readonly challenge: Bytes;
}

/**
 * What `side` proves the token over:
 *
 *     "sealkv peer {side} v1" ‖ hello length u32 ‖ hello ‖ challenge
 *
 * So both challenges, both cluster ids, names, ids, disk ids and epochs, the
 * versions, the purpose and the target are covered, and no proof fits the other side.
 */
export function proofMessage(side: Side, transcript: Transcript): Bytes {
  return labelled("sealkv peer " + side + " v1", transcript);
}

/** As `proofMessage`, under "sealkv peer {side} refuses v1" ‖ code u8. */
export function refusalMessage(
  side: Side,
  transcript: Transcript,
  refusal: PeerRefusal,
): Bytes {
  const code = String.fromCharCode(refusalCode(refusal));
  return labelled("sealkv peer " + side + " refuses v1" + code, transcript);
}

function labelled(label: string, { hello, challenge }: Transcript): Bytes {
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, hello.length);
  return concatBytes(utf8(label), length, hello, challenge);
}
