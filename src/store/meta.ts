import { CLUSTER_ID_BYTES } from "../base/identity.ts";
import { assert } from "../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  setUint64,
  utf8,
  viewOf,
} from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import {
  type DatabaseNumber,
  type FsmState,
  NO_ENCRYPTION,
  NO_ROLLOUT,
} from "../fsm/types.ts";
import {
  StoreRowDamagedError,
  StoreVersionUnsupportedError,
} from "./errors.ts";
import {
  checkedBody,
  CHECKSUM_BYTES,
  safeUint64,
  utf8Text,
} from "./row_body.ts";

const META_VERSION = 1;
/** Encryption rows go with it: programs that do not know them must not open. */
const META_VERSION_ENCRYPTED = 2;
const CLUSTER_NAME_BYTES_MAX = 1_024;
const MEMBERS_MAX = 1_024;
const FLAG_CLUSTER_ID = 1;
const FLAG_AUTO_LEAVE = 2;
const FIXED_BYTES = 44;
const DATABASE_NAME_BYTES_MAX = 1_024;

/** Membership as raft stores it; plain data here. */
export interface StoredConfState {
  readonly voters: readonly number[];
  readonly votersOutgoing: readonly number[];
  readonly learners: readonly number[];
  readonly learnersNext: readonly number[];
  readonly autoLeave: boolean;
}

/** Everything besides records that members agree on at one index. */
export interface CheckpointState {
  /** Last log entry whose effects are in the store. */
  readonly applied: { readonly index: number; readonly term: number };
  readonly confState: StoredConfState;
  readonly fsm: FsmState;
}

/** Everything durable besides records and sessions. */
export interface StoreState extends CheckpointState {
  /**
   * This node's MAC of the encryption state (`encryptionRowBody`), 32 bytes;
   * `null` exactly when there are no keys.
   */
  readonly encryptionMac: Bytes | null;
}

/** State of a store in which nothing was committed. */
export const EMPTY_STATE: StoreState = {
  applied: { index: 0, term: 0 },
  confState: {
    voters: [],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  },
  fsm: {
    clockMs: 0,
    clusterId: null,
    clusterName: "",
    databases: new Map(),
    members: new Map(),
    encryption: NO_ENCRYPTION,
    rollout: NO_ROLLOUT,
  },
  encryptionMac: null,
};

/**
 * The meta row: all of the state but databases, members, the rollout and
 * encryption, which have rows of their own.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       8      applied index
 *     9       8      applied term
 *     17      8      replicated clock, Unix ms
 *     25      1      flags: 1 has a cluster id, 2 auto-leave
 *     26      16     cluster id, zeros for none
 *     42      2 + n  length and UTF-8 of the cluster name
 *     ..      2 + 8m four times: count and ids of voters, outgoing voters,
 *                    learners, next learners
 *     ..      4      CRC-32C of all before
 */
export function encodeMeta(state: StoreState): Bytes {
  const { applied, confState, fsm } = state;
  const name = utf8(fsm.clusterName);
  assert(name.length <= CLUSTER_NAME_BYTES_MAX, "a short cluster name");
  const lists = memberLists(confState);
  const members = lists.reduce((sum, list) => sum + 2 + 8 * list.length, 0);
  const bytes = new Uint8Array(
    FIXED_BYTES + name.length + members + CHECKSUM_BYTES,
  );
  const view = viewOf(bytes);
  bytes[0] = fsm.encryption.keys.size === 0
    ? META_VERSION
    : META_VERSION_ENCRYPTED;
  setUint64(view, 1, applied.index);
  setUint64(view, 9, applied.term);
  setUint64(view, 17, fsm.clockMs);
  bytes[25] = (fsm.clusterId === null ? 0 : FLAG_CLUSTER_ID) |
    (confState.autoLeave ? FLAG_AUTO_LEAVE : 0);
  if (fsm.clusterId !== null) {
    assert(fsm.clusterId.length === CLUSTER_ID_BYTES, "a cluster id: 16 bytes");
    bytes.set(fsm.clusterId, 26);
  }
  view.setUint16(42, name.length);
  bytes.set(name, FIXED_BYTES);
  let at = FIXED_BYTES + name.length;
  for (const list of lists) {
    assert(list.length <= MEMBERS_MAX, "at most 1,024 members");
    view.setUint16(at, list.length);
    at += 2;
    for (const id of list) {
      setUint64(view, at, id);
      at += 8;
    }
  }
  view.setUint32(at, crc32c(bytes.subarray(0, at)));
  return bytes;
}

/** What a meta row says. */
export interface StoredMeta {
  /** Without what has rows of its own, but for the databases. */
  readonly state: StoreState;
  readonly hasEncryption: boolean;
}

/**
 * Reads what `encodeMeta` wrote, with the databases of their own rows.
 *
 * @throws {StoreVersionUnsupportedError} Written by a later program.
 * @throws {StoreRowDamagedError} Anything else that is not a meta row.
 */
export function decodeMeta(
  bytes: Uint8Array,
  databases: ReadonlyMap<string, DatabaseNumber>,
): StoredMeta {
  const version = bytes[0];
  if (version === undefined) throw new StoreRowDamagedError("meta", "empty");
  const hasEncryption = version === META_VERSION_ENCRYPTED;
  if (version !== META_VERSION && !hasEncryption) {
    throw new StoreVersionUnsupportedError(version, META_VERSION_ENCRYPTED);
  }
  const body = checkedBody("meta", bytes, FIXED_BYTES);
  const view = viewOf(body);
  const flags = view.getUint8(25);
  if ((flags & ~(FLAG_CLUSTER_ID | FLAG_AUTO_LEAVE)) !== 0) {
    throw new StoreRowDamagedError("meta", "unknown flags");
  }
  const id = body.slice(26, 26 + CLUSTER_ID_BYTES);
  const hasId = (flags & FLAG_CLUSTER_ID) !== 0;
  if (!hasId && id.some((byte) => byte !== 0)) {
    throw new StoreRowDamagedError("meta", "cluster id without its flag");
  }
  const nameBytes = view.getUint16(42);
  if (
    nameBytes > CLUSTER_NAME_BYTES_MAX || FIXED_BYTES + nameBytes > body.length
  ) {
    throw new StoreRowDamagedError("meta", "cluster name too long");
  }
  const membersAt = FIXED_BYTES + nameBytes;
  const state: StoreState = {
    applied: {
      index: safeUint64("meta", view, 1),
      term: safeUint64("meta", view, 9),
    },
    confState: {
      ...readMembers(body.subarray(membersAt)),
      autoLeave: (flags & FLAG_AUTO_LEAVE) !== 0,
    },
    fsm: {
      clockMs: safeUint64("meta", view, 17),
      clusterId: hasId ? id : null,
      clusterName: utf8Text("meta", body.subarray(FIXED_BYTES, membersAt)),
      databases,
      members: new Map(),
      encryption: NO_ENCRYPTION,
      rollout: NO_ROLLOUT,
    },
    encryptionMac: null,
  };
  return { state, hasEncryption };
}

/** A database row: UTF-8 of the name ‖ CRC-32C (number u32 ‖ name). */
export function encodeDatabase(name: string, number: DatabaseNumber): Bytes {
  const bytes = utf8(name);
  assert(bytes.length <= DATABASE_NAME_BYTES_MAX, "a short database name");
  return concatBytes(bytes, databaseChecksum(bytes, number));
}

/** @throws {StoreRowDamagedError} Not what `encodeDatabase` wrote. */
export function decodeDatabase(
  bytes: Uint8Array,
  number: DatabaseNumber,
): string {
  const until = bytes.length - CHECKSUM_BYTES;
  if (until < 0 || until > DATABASE_NAME_BYTES_MAX) {
    throw new StoreRowDamagedError("database", "wrong length");
  }
  const name = bytes.subarray(0, until);
  const stored = viewOf(bytes).getUint32(until);
  if (viewOf(databaseChecksum(name, number)).getUint32(0) !== stored) {
    throw new StoreRowDamagedError("database", "wrong checksum");
  }
  return utf8Text("database", name);
}

function databaseChecksum(name: Uint8Array, number: DatabaseNumber): Bytes {
  const bytes = new Uint8Array(CHECKSUM_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, number);
  view.setUint32(0, crc32c(name, crc32c(bytes)));
  return bytes;
}

/** How far a commit in parts has come; see `multi_part.ts`. */
export interface Marker {
  /** First staged row that is not in place. */
  readonly next: number;
  readonly count: number;
}

const MARKER_VERSION = 1;
const MARKER_BYTES = 9;

/** version u8 = 1 ‖ next u32 ‖ count u32 ‖ CRC-32C of all before. */
export function encodeMarker({ next, count }: Marker): Bytes {
  const bytes = new Uint8Array(MARKER_BYTES + CHECKSUM_BYTES);
  const view = viewOf(bytes);
  bytes[0] = MARKER_VERSION;
  view.setUint32(1, next);
  view.setUint32(5, count);
  view.setUint32(MARKER_BYTES, crc32c(bytes.subarray(0, MARKER_BYTES)));
  return bytes;
}

/** @throws {NodeError} As `decodeMeta`. */
export function decodeMarker(bytes: Uint8Array): Marker {
  const version = bytes[0];
  if (version === undefined) throw new StoreRowDamagedError("marker", "empty");
  if (version !== MARKER_VERSION) {
    throw new StoreVersionUnsupportedError(version, MARKER_VERSION);
  }
  const body = checkedBody("marker", bytes, MARKER_BYTES);
  if (body.length !== MARKER_BYTES) {
    throw new StoreRowDamagedError("marker", "wrong length");
  }
  const view = viewOf(body);
  return { next: view.getUint32(1), count: view.getUint32(5) };
}

function memberLists(conf: StoredConfState): readonly (readonly number[])[] {
  return [
    conf.voters,
    conf.votersOutgoing,
    conf.learners,
    conf.learnersNext,
  ];
}

function readMembers(bytes: Uint8Array): Omit<StoredConfState, "autoLeave"> {
  const view = viewOf(bytes);
  let at = 0;
  const readList = (): readonly number[] => {
    if (at + 2 > bytes.length) {
      throw new StoreRowDamagedError("meta", "members cut short");
    }
    const count = view.getUint16(at);
    at += 2;
    if (count > MEMBERS_MAX || at + 8 * count > bytes.length) {
      throw new StoreRowDamagedError("meta", "members cut short");
    }
    const from = at;
    at += 8 * count;
    return Array.from(
      { length: count },
      (_, i) => safeUint64("meta", view, from + 8 * i),
    );
  };
  const members = {
    voters: readList(),
    votersOutgoing: readList(),
    learners: readList(),
    learnersNext: readList(),
  };
  if (at !== bytes.length) {
    throw new StoreRowDamagedError("meta", "bytes after the members");
  }
  return members;
}
