import { concatBytes } from "../base/bytes.ts";
import { ConnectionLostError } from "../io/errors.ts";
import type { Random } from "../io/random.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import {
  encodeFrame,
  type Frame,
  FRAME_ACCEPTED,
  FRAME_CHALLENGE,
  FRAME_HELLO,
  FRAME_PROOF,
  FRAME_REFUSED,
} from "./frame.ts";
import type { FrameConnection } from "./frame_connection.ts";
import {
  CHALLENGE_BYTES,
  decodeChallenge,
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeChallenge,
  encodeHello,
  encodeRefusal,
  type Hello,
  peekVersion,
  type Purpose,
} from "./hello.ts";
import type {
  PeerAddress,
  PeerIdentity,
  PeerProver,
  PeerRefusal,
  TransportHost,
} from "./port.ts";
import {
  proofMessage,
  refusalMessage,
  type Side,
  type Transcript,
} from "./transcript.ts";

/** What a handshake needs of its node. */
export interface HandshakeParts {
  readonly host: TransportHost;
  readonly prover: PeerProver;
  readonly random: Random;
}

/** How a handshake ended. */
export type Outcome =
  | {
    readonly kind: "proven";
    readonly identity: PeerIdentity;
    readonly purpose: Purpose;
  }
  | {
    readonly kind: "refused";
    readonly refusal: PeerRefusal;
    readonly by: "us" | "them";
    /** Whether who refuses has proven the token: else it may be anyone. */
    readonly isProven: boolean;
    /** Who the other side says it is, if it came to that. */
    readonly claim: PeerIdentity | null;
  }
  /** The connection ended before its handshake. */
  | { readonly kind: "ended" };

const ENDED: Outcome = { kind: "ended" };

/**
 * The dialling side: names whom it wants, lets that one prove itself first,
 * and only then shows a proof of its own.
 *
 * @throws {ConnectionLostError}
 * @throws {TransportFrameInvalidError}
 */
export async function dialHandshake(
  connection: FrameConnection,
  parts: HandshakeParts,
  peer: Pick<PeerAddress, "id" | "name">,
  purpose: Purpose,
): Promise<Outcome> {
  const own = parts.host.identity();
  const hello = encodeHello({
    purpose,
    challenge: parts.random.bytes(CHALLENGE_BYTES),
    identity: own,
    target: { id: peer.id, name: peer.name },
  });
  await connection.write(encodeFrame(FRAME_HELLO, hello));
  const answer = await connection.next();
  if (answer === null) return ENDED;
  if (answer.type === FRAME_REFUSED) return told(answer, null);
  expect(answer, FRAME_CHALLENGE);
  const side = new Ending(connection, parts, "dialler");
  if (peekVersion(answer.body) !== own.protocolVersion) {
    return await side.refuse("wrong-version");
  }
  const { identity, signed, proof } = decodeChallenge(answer.body);
  side.claim = identity;
  const transcript = { hello, challenge: signed };
  if (!await parts.prover.verify(proofMessage("acceptor", transcript), proof)) {
    return await side.refuse("wrong-token");
  }
  side.transcript = transcript;
  const isMeant = identity.id === peer.id && identity.name === peer.name;
  const refusal = isMeant ? parts.host.vet(identity) : "wrong-name";
  if (refusal !== null) return await side.refuse(refusal);
  const ownProof = await parts.prover.prove(
    proofMessage("dialler", transcript),
  );
  await connection.write(encodeFrame(FRAME_PROOF, ownProof));
  const last = await connection.next();
  if (last === null) return ENDED;
  if (last.type === FRAME_REFUSED) return await side.told(last);
  expect(last, FRAME_ACCEPTED);
  connection.trust();
  return { kind: "proven", identity, purpose };
}

/**
 * The accepting side: answers only who asks for this node by name and id.
 *
 * @throws {ConnectionLostError}
 * @throws {TransportFrameInvalidError}
 */
export async function acceptHandshake(
  connection: FrameConnection,
  parts: HandshakeParts,
): Promise<Outcome> {
  const first = await connection.next();
  if (first === null) return ENDED;
  expect(first, FRAME_HELLO, connection);
  const own = parts.host.identity();
  const side = new Ending(connection, parts, "acceptor");
  if (peekVersion(first.body) !== own.protocolVersion) {
    return await side.refuse("wrong-version");
  }
  const hello = decodeHello(first.body);
  side.claim = hello.identity;
  if (!isForUs(hello, own)) return await side.refuse("wrong-name");
  const challenge = encodeChallenge({
    challenge: parts.random.bytes(CHALLENGE_BYTES),
    identity: own,
  });
  const transcript = { hello: first.body, challenge };
  const proof = await parts.prover.prove(proofMessage("acceptor", transcript));
  const answer = concatBytes(challenge, proof);
  await connection.write(encodeFrame(FRAME_CHALLENGE, answer));
  side.transcript = transcript;
  const second = await connection.next();
  if (second === null) return ENDED;
  if (second.type === FRAME_REFUSED) return await side.told(second);
  expect(second, FRAME_PROOF, connection);
  const isKnown = await parts.prover.verify(
    proofMessage("dialler", transcript),
    decodeProof(second.body),
  );
  if (!isKnown) {
    side.transcript = null;
    return await side.refuse("wrong-token");
  }
  const refusal = parts.host.vet(hello.identity);
  if (refusal !== null) return await side.refuse(refusal);
  await connection.write(encodeFrame(FRAME_ACCEPTED));
  connection.trust();
  return {
    kind: "proven",
    identity: hello.identity,
    purpose: hello.purpose,
  };
}

/** Someone means this node, and is not this node itself. */
function isForUs({ target, identity }: Hello, own: PeerIdentity): boolean {
  return target.id === own.id && target.name === own.name &&
    identity.id !== own.id && identity.name !== own.name;
}

/** What one side does when the two do not get together. */
class Ending {
  /** Set once the other side has proven itself, for what is said to it. */
  transcript: Transcript | null = null;
  claim: PeerIdentity | null = null;
  readonly #connection: FrameConnection;
  readonly #parts: HandshakeParts;
  readonly #side: Side;

  constructor(
    connection: FrameConnection,
    parts: HandshakeParts,
    side: Side,
  ) {
    this.#connection = connection;
    this.#parts = parts;
    this.#side = side;
  }

  /** Tells the other side, with a proof if it has given its own. */
  async refuse(refusal: PeerRefusal): Promise<Outcome> {
    const { transcript, claim } = this;
    const proof = transcript === null ? null : await this.#parts.prover
      .prove(refusalMessage(this.#side, transcript, refusal));
    const body = encodeRefusal({ refusal, proof });
    try {
      await this.#connection.write(encodeFrame(FRAME_REFUSED, body));
    } catch (error) {
      // It has gone already; what was decided stands.
      if (!(error instanceof ConnectionLostError)) throw error;
    }
    const isProven = proof !== null;
    return { kind: "refused", refusal, by: "us", isProven, claim };
  }

  /** Takes a refusal of the other side, and checks its proof. */
  async told(frame: Frame): Promise<Outcome> {
    const { transcript, claim } = this;
    const { refusal, proof } = decodeRefusal(frame.body);
    if (transcript === null || proof === null) return told(frame, claim);
    const other = this.#side === "dialler" ? "acceptor" : "dialler";
    const message = refusalMessage(other, transcript, refusal);
    const isProven = await this.#parts.prover.verify(message, proof);
    return { kind: "refused", refusal, by: "them", isProven, claim };
  }
}

/** A refusal of someone who may be anyone. */
function told({ body }: Frame, claim: PeerIdentity | null): Outcome {
  const { refusal } = decodeRefusal(body);
  return { kind: "refused", refusal, by: "them", isProven: false, claim };
}

/** A dialler waits for each answer: what it sends ahead is not our protocol. */
function expect(
  frame: Frame,
  type: number,
  connection?: FrameConnection,
): void {
  if (frame.type !== type) {
    throw new TransportFrameInvalidError(
      `a handshake: type ${frame.type} instead of ${type}`,
    );
  }
  if (connection?.hasUnread) {
    throw new TransportFrameInvalidError("a handshake: bytes follow a step");
  }
}
