import { assert } from "../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../base/bytes.ts";
import { EPOCH_MAX, KEYS_MAX, NO_KEY } from "../base/data_key.ts";
import type { RaftId } from "../raft/types.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import {
  PEER_REFUSALS,
  type PeerEpoch,
  type PeerIdentity,
  type PeerRefusal,
} from "./port.ts";

/*
 * Bodies of the frames of a handshake. Integers are big-endian; name is
 * length u8 (1-63) ‖ that many of a-z 0-9 - and point.
 *
 *     hello      magic "SKPT" ‖ version u16 ‖ purpose u8 (1 messages,
 *                2 stream) ‖ challenge 32 ‖ identity ‖ target id u64 ‖
 *                target name
 *     challenge  magic ‖ version u16 ‖ challenge 32 ‖ identity ‖ proof 32
 *     proof      proof 32
 *     accepted   empty
 *     refused    code u8 (PEER_REFUSALS, from 1) ‖ proof, 0 or 32 bytes
 *
 *     identity   id u64 ‖ cluster id 16 (zeros: unknown) ‖ disk id 16 ‖
 *                founding digest 32 ‖ name ‖ address: length u16 (0-300) ‖
 *                that much visible ASCII ‖ epochs, from version 2 on: count
 *                u8 (0-128) ‖ that many of (key id u32 ‖ epoch u16), by key id
 *
 * Magic, version and the whole of `refused` stay as they are in all versions.
 */
const MAGIC = 0x534b5054;
const PREFIX_BYTES = 6;
export const CHALLENGE_BYTES = 32;
const PROOF_BYTES = 32;
const ID_BYTES = 16;
const DIGEST_BYTES = 32;
const NAME_BYTES_MAX = 63;
const NAME = /^[a-z0-9.-]+$/;
const ADDRESS_BYTES_MAX = 300;
const ADDRESS = /^[\x21-\x7e]*$/;
const EPOCH_BYTES = 6;
/** The first version whose identities say epochs. */
const EPOCHS_VERSION = 2;

/** What a connection is for. */
export type Purpose = "messages" | "stream";
const PURPOSES: readonly Purpose[] = ["messages", "stream"];

/** What a dialler says first. */
export interface Hello {
  readonly purpose: Purpose;
  readonly challenge: Bytes;
  readonly identity: PeerIdentity;
  /** Whom it means to reach. */
  readonly target: { readonly id: RaftId; readonly name: string };
}

/** What an acceptor answers, without its proof. */
export interface Challenge {
  readonly challenge: Bytes;
  readonly identity: PeerIdentity;
}

export interface Refusal {
  readonly refusal: PeerRefusal;
  /** `null` while the two have not proven themselves. */
  readonly proof: Bytes | null;
}

export function encodeHello(hello: Hello): Bytes {
  const { purpose, challenge, identity, target } = hello;
  return concatBytes(
    prefix(identity.protocolVersion),
    Uint8Array.of(1 + PURPOSES.indexOf(purpose)),
    exactly(challenge, CHALLENGE_BYTES),
    encodeIdentity(identity),
    encodeId(target.id),
    encodeName(target.name),
  );
}

/**
 * The protocol version at the start of a hello or challenge.
 *
 * @throws {TransportFrameInvalidError} When it is neither.
 */
export function peekVersion(body: Bytes): number {
  if (body.length < PREFIX_BYTES) throw invalid("it is cut short");
  const view = viewOf(body);
  if (view.getUint32(0) !== MAGIC) throw invalid("it has no magic");
  return view.getUint16(4);
}

/** @throws {TransportFrameInvalidError} */
export function decodeHello(body: Bytes): Hello {
  const reader = new Reader(body);
  const version = reader.version();
  const purpose = PURPOSES[reader.u8() - 1];
  if (purpose === undefined) throw invalid("its purpose is unknown");
  const challenge = reader.bytes(CHALLENGE_BYTES);
  const identity = reader.identity(version);
  const target = { id: reader.id(), name: reader.name() };
  reader.end();
  return { purpose, challenge, identity, target };
}

export function encodeChallenge({ challenge, identity }: Challenge): Bytes {
  return concatBytes(
    prefix(identity.protocolVersion),
    exactly(challenge, CHALLENGE_BYTES),
    encodeIdentity(identity),
  );
}

/**
 * Reads a challenge; `signed` is what its proof is about.
 *
 * @throws {TransportFrameInvalidError}
 */
export function decodeChallenge(body: Bytes): Challenge & {
  readonly signed: Bytes;
  readonly proof: Bytes;
} {
  const reader = new Reader(body);
  const version = reader.version();
  const challenge = reader.bytes(CHALLENGE_BYTES);
  const identity = reader.identity(version);
  const proof = reader.bytes(PROOF_BYTES);
  reader.end();
  const signed = body.subarray(0, body.length - PROOF_BYTES);
  return { challenge, identity, signed, proof };
}

/** @throws {TransportFrameInvalidError} */
export function decodeProof(body: Bytes): Bytes {
  if (body.length !== PROOF_BYTES) throw invalid("a proof has 32 bytes");
  return body;
}

export function encodeRefusal({ refusal, proof }: Refusal): Bytes {
  const code = Uint8Array.of(refusalCode(refusal));
  return proof === null ? code : concatBytes(code, exactly(proof, PROOF_BYTES));
}

/** @throws {TransportFrameInvalidError} */
export function decodeRefusal(body: Bytes): Refusal {
  const reader = new Reader(body);
  const refusal = PEER_REFUSALS[reader.u8() - 1];
  if (refusal === undefined) throw invalid("its refusal is unknown");
  const proof = body.length === 1 ? null : reader.bytes(PROOF_BYTES);
  reader.end();
  return { refusal, proof };
}

/** Number of `refusal` on the wire; the list only grows at its end. */
export function refusalCode(refusal: PeerRefusal): number {
  return 1 + PEER_REFUSALS.indexOf(refusal);
}

/** Cuts fields off a body, each checked against what is left. */
class Reader {
  readonly #body: Bytes;
  #at = 0;

  constructor(body: Bytes) {
    this.#body = body;
  }

  version(): number {
    const version = peekVersion(this.#body);
    this.#at += PREFIX_BYTES;
    return version;
  }

  bytes(length: number): Bytes {
    const from = this.#at;
    if (length > this.#body.length - from) throw invalid("it is cut short");
    this.#at += length;
    return this.#body.slice(from, this.#at);
  }

  u8(): number {
    return this.bytes(1)[0] as number;
  }

  id(): RaftId {
    const id = getUint64(viewOf(this.bytes(8)), 0);
    if (id === null || id === 0) throw invalid("an id is none");
    return id;
  }

  name(): string {
    const length = this.u8();
    if (length > NAME_BYTES_MAX) throw invalid("a name is too long");
    const name = String.fromCharCode(...this.bytes(length));
    if (!NAME.test(name)) throw invalid("a name is none");
    return name;
  }

  address(): string {
    const length = viewOf(this.bytes(2)).getUint16(0);
    if (length > ADDRESS_BYTES_MAX) throw invalid("an address is too long");
    const address = String.fromCharCode(...this.bytes(length));
    if (!ADDRESS.test(address)) throw invalid("an address is none");
    return address;
  }

  identity(protocolVersion: number): PeerIdentity {
    const id = this.id();
    const clusterId = this.bytes(ID_BYTES);
    const diskId = this.bytes(ID_BYTES);
    const foundingDigest = this.bytes(DIGEST_BYTES);
    const name = this.name();
    const address = this.address();
    const epochs = protocolVersion < EPOCHS_VERSION ? [] : this.epochs();
    const isKnown = clusterId.some((byte) => byte !== 0);
    return {
      clusterId: isKnown ? clusterId : null,
      name,
      id,
      address,
      diskId,
      protocolVersion,
      foundingDigest,
      epochs,
    };
  }

  epochs(): readonly PeerEpoch[] {
    const count = this.u8();
    if (count > KEYS_MAX) throw invalid("it has too many epochs");
    const view = viewOf(this.bytes(count * EPOCH_BYTES));
    const epochs: PeerEpoch[] = [];
    let last = NO_KEY;
    for (let at = 0; at < count * EPOCH_BYTES; at += EPOCH_BYTES) {
      const keyId = view.getUint32(at);
      const epoch = view.getUint16(at + 4);
      if (keyId <= last) throw invalid("its key ids do not ascend");
      if (epoch === 0) throw invalid("an epoch is none");
      last = keyId;
      epochs.push({ keyId, epoch });
    }
    return epochs;
  }

  end(): void {
    if (this.#at !== this.#body.length) throw invalid("bytes follow it");
  }
}

function prefix(version: number): Bytes {
  const bytes = new Uint8Array(PREFIX_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  view.setUint16(4, version);
  return bytes;
}

function encodeIdentity(identity: PeerIdentity): Bytes {
  const { id, clusterId, diskId, foundingDigest, name, address } = identity;
  const { epochs, protocolVersion } = identity;
  const hasEpochs = protocolVersion >= EPOCHS_VERSION;
  assert(hasEpochs || epochs.length === 0, "version 1 says no epochs");
  return concatBytes(
    encodeId(id),
    exactly(clusterId ?? new Uint8Array(ID_BYTES), ID_BYTES),
    exactly(diskId, ID_BYTES),
    exactly(foundingDigest, DIGEST_BYTES),
    encodeName(name),
    encodeAddress(address),
    hasEpochs ? encodeEpochs(epochs) : EMPTY_BYTES,
  );
}

function encodeEpochs(epochs: readonly PeerEpoch[]): Bytes {
  assert(epochs.length <= KEYS_MAX, "at most 128 keys have epochs");
  const bytes = new Uint8Array(1 + epochs.length * EPOCH_BYTES);
  const view = viewOf(bytes);
  bytes[0] = epochs.length;
  let last = NO_KEY;
  epochs.forEach(({ keyId, epoch }, i) => {
    assert(keyId > last, "key ids ascend");
    assert(epoch >= 1 && epoch <= EPOCH_MAX, "epochs are u16, from 1");
    last = keyId;
    view.setUint32(1 + i * EPOCH_BYTES, keyId);
    view.setUint16(5 + i * EPOCH_BYTES, epoch);
  });
  return bytes;
}

function encodeAddress(address: string): Bytes {
  assert(
    ADDRESS.test(address) && address.length <= ADDRESS_BYTES_MAX,
    "an address has up to 300 visible characters",
  );
  const length = new Uint8Array(2);
  viewOf(length).setUint16(0, address.length);
  return concatBytes(length, utf8(address));
}

function encodeId(id: RaftId): Bytes {
  const bytes = new Uint8Array(8);
  setUint64(viewOf(bytes), 0, id);
  return bytes;
}

function encodeName(name: string): Bytes {
  assert(
    NAME.test(name) && name.length <= NAME_BYTES_MAX,
    "a member's name has 1 to 63 of a-z 0-9 - .",
  );
  return concatBytes(Uint8Array.of(name.length), utf8(name));
}

function exactly(bytes: Bytes, length: number): Bytes {
  assert(bytes.length === length, `a field has ${length} bytes`);
  return bytes;
}

function invalid(finding: string): TransportFrameInvalidError {
  return new TransportFrameInvalidError(`a handshake: ${finding}`);
}
