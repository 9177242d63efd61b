import { assert } from "../base/assert.ts";
import { type Bytes, setUint64, utf8, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import {
  DISK_ID_BYTES,
  type Member,
  MEMBER_ADDRESS_BYTES_MAX,
  MEMBER_NAME_BYTES_MAX,
  type MemberId,
  MEMBERS_MAX,
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

const VERSION = 1;
const ROW = "members";
const HEAD_BYTES = 3;
/** What a member has before its texts. */
const FIXED_BYTES = 29;
const LENGTH_BYTES = 2;
const FLAG_DISK_ID = 1;
const FLAG_PROMOTE = 2;
const TEXT_BYTES_MAX = [
  MEMBER_NAME_BYTES_MAX,
  MEMBER_ADDRESS_BYTES_MAX,
  MEMBER_ADDRESS_BYTES_MAX,
  MEMBER_ADDRESS_BYTES_MAX,
] as const;

/** Length of the longest members row. */
export const MEMBERS_ROW_BYTES_MAX = HEAD_BYTES + CHECKSUM_BYTES +
  MEMBERS_MAX * TEXT_BYTES_MAX.reduce<number>(
      (sum, bytes) => sum + LENGTH_BYTES + bytes,
      FIXED_BYTES,
    );

/**
 * The members row; none is the same as one without members.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       2      number of members, at most MEMBERS_MAX
 *     ..      ..     members, raft ids ascending
 *     ..      4      CRC-32C of all before
 *
 * A member:
 *
 *     0       8      raft id
 *     8       1      flags: 1 has a disk id, 2 promote when caught up
 *     9       4      protocol version
 *     13      16     disk id, zeros for none
 *     29      2 + n  four times: length and UTF-8 of name, peer address, client
 *                    address, admin address
 */
export function encodeMembers(members: ReadonlyMap<MemberId, Member>): Bytes {
  assert(members.size <= MEMBERS_MAX, "members fit their row");
  const ordered = [...members.values()].sort((a, b) => a.id - b.id);
  const bytes = new Uint8Array(MEMBERS_ROW_BYTES_MAX);
  const view = viewOf(bytes);
  bytes[0] = VERSION;
  view.setUint16(1, ordered.length);
  let at = HEAD_BYTES;
  for (const member of ordered) at = writeMember(bytes, at, member);
  view.setUint32(at, crc32c(bytes.subarray(0, at)));
  return bytes.slice(0, at + CHECKSUM_BYTES);
}

/** Returns where the next member starts. */
function writeMember(bytes: Uint8Array, start: number, member: Member): number {
  const { id, diskId, protocolVersion, promoteWhenCaughtUp } = member;
  const view = viewOf(bytes);
  setUint64(view, start, id);
  bytes[start + 8] = (diskId === null ? 0 : FLAG_DISK_ID) |
    (promoteWhenCaughtUp ? FLAG_PROMOTE : 0);
  view.setUint32(start + 9, protocolVersion);
  if (diskId !== null) {
    assert(diskId.length === DISK_ID_BYTES, "a disk id has 16 bytes");
    bytes.set(diskId, start + 13);
  }
  const { name, peerAddress, clientAddress, adminAddress } = member;
  const texts = [name, peerAddress, clientAddress, adminAddress];
  let at = start + FIXED_BYTES;
  for (const [nth, bytesMax] of TEXT_BYTES_MAX.entries()) {
    const text = utf8(texts[nth] ?? "");
    assert(text.length <= bytesMax, "names and addresses are short");
    view.setUint16(at, text.length);
    bytes.set(text, at + LENGTH_BYTES);
    at += LENGTH_BYTES + text.length;
  }
  return at;
}

/**
 * Reads what `encodeMembers` wrote.
 *
 * @throws {StoreVersionUnsupportedError} Written by a later program.
 * @throws {StoreRowDamagedError} Anything else that is not a members row.
 */
export function decodeMembers(
  bytes: Uint8Array,
): ReadonlyMap<MemberId, Member> {
  const version = bytes[0];
  if (version === undefined) throw new StoreRowDamagedError(ROW, "empty");
  if (version !== VERSION) {
    throw new StoreVersionUnsupportedError(version, VERSION);
  }
  const body = checkedBody(ROW, bytes, HEAD_BYTES);
  const count = viewOf(body).getUint16(1);
  if (count > MEMBERS_MAX) {
    throw new StoreRowDamagedError(ROW, "too many members");
  }
  const members = new Map<MemberId, Member>();
  let at = HEAD_BYTES;
  let last = 0;
  for (let nth = 0; nth < count; nth += 1) {
    const { member, next } = readMember(body, at);
    if (member.id <= last) throw new StoreRowDamagedError(ROW, "out of order");
    members.set(member.id, member);
    last = member.id;
    at = next;
  }
  if (at !== body.length) {
    throw new StoreRowDamagedError(ROW, "bytes after the members");
  }
  return members;
}

function readMember(
  body: Bytes,
  start: number,
): { readonly member: Member; readonly next: number } {
  if (start + FIXED_BYTES > body.length) throw cutShort();
  const view = viewOf(body);
  const flags = view.getUint8(start + 8);
  if ((flags & ~(FLAG_DISK_ID | FLAG_PROMOTE)) !== 0) {
    throw new StoreRowDamagedError(ROW, "unknown flags");
  }
  const hasDiskId = (flags & FLAG_DISK_ID) !== 0;
  const diskId = body.slice(start + 13, start + FIXED_BYTES);
  if (!hasDiskId && diskId.some((byte) => byte !== 0)) {
    throw new StoreRowDamagedError(ROW, "disk id without its flag");
  }
  let at = start + FIXED_BYTES;
  const texts = TEXT_BYTES_MAX.map((bytesMax) => {
    const from = at + LENGTH_BYTES;
    if (from > body.length) throw cutShort();
    const length = view.getUint16(at);
    if (length > bytesMax || from + length > body.length) throw cutShort();
    at = from + length;
    return utf8Text(ROW, body.subarray(from, at));
  });
  const [name = "", peerAddress = "", clientAddress = "", adminAddress = ""] =
    texts;
  const member = {
    id: safeUint64(ROW, view, start),
    ...{ name, peerAddress, clientAddress, adminAddress },
    diskId: hasDiskId ? diskId : null,
    protocolVersion: view.getUint32(start + 9),
    promoteWhenCaughtUp: (flags & FLAG_PROMOTE) !== 0,
  };
  return { member, next: at };
}

function cutShort(): StoreRowDamagedError {
  return new StoreRowDamagedError(ROW, "a member cut short or too long");
}
