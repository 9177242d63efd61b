import { NodeError } from "../base/error.ts";
import type { PeerRefusal } from "./port.ts";

/** Bytes from a peer that are not what the protocol says. */
export class TransportFrameInvalidError extends NodeError {
  override readonly name = "TransportFrameInvalidError";
  override readonly code = "TRANSPORT_FRAME_INVALID";
  override readonly remedy =
    "Run one version of sealkv on all members, and check that nothing else " +
    "connects to --peer-listen";

  constructor(readonly finding: string) {
    super(`Cannot read what a peer sent as a frame: ${finding}`);
  }
}

/** A member of the cluster will not talk to this one, or this one to it. */
export class PeerRefusedError extends NodeError {
  override readonly name = "PeerRefusedError";
  override readonly code = "TRANSPORT_PEER_REFUSED";
  override readonly remedy =
    "Compare SEALKV_PEER_TOKEN, --initial-cluster and --node of both members; " +
    "`sealkv member list` shows who belongs to the cluster";

  constructor(readonly peer: string, readonly refusal: PeerRefusal) {
    super(`Cannot talk to "${peer}" as one side refuses: ${refusal}`);
  }
}

/** No connection to a member could be made. */
export class PeerUnreachableError extends NodeError {
  override readonly name = "PeerUnreachableError";
  override readonly code = "TRANSPORT_PEER_UNREACHABLE";
  override readonly remedy =
    "Check with `sealkv status` that the member runs, and the network to it";

  constructor(readonly peer: string, reason: string, options?: ErrorOptions) {
    super(`Cannot reach the member "${peer}": ${reason}`, options);
  }
}

/** This runtime does not ask clients for certificates. */
export class MutualTlsUnsupportedError extends NodeError {
  override readonly name = "MutualTlsUnsupportedError";
  override readonly code = "TRANSPORT_MUTUAL_TLS_UNSUPPORTED";
  override readonly remedy =
    "Run sealkv on Deno 2.9 or later, or start it without --peer-mtls: peers " +
    "prove the peer token in any case";

  constructor() {
    super(
      "Cannot demand client certificates of peers: a connection without one was let in",
    );
  }
}
