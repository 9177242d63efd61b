import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { type Bytes, concatBytes, viewOf } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import type { NodeError } from "../../../src/base/error.ts";
import { type Member, MEMBERS_MAX } from "../../../src/fsm/types.ts";
import { KV_VALUE_BYTES_MAX } from "../../../src/io/kv.ts";
import {
  decodeMembers,
  encodeMembers,
  MEMBERS_ROW_BYTES_MAX,
} from "../../../src/store/members_row.ts";
import { memberOf } from "./store_model.ts";

function longest(count: number): ReadonlyMap<number, Member> {
  return new Map(Array.from({ length: count }, (_, i) => {
    const id = Number.MAX_SAFE_INTEGER - count + i;
    return [id, {
      id,
      name: `${i}`.padStart(63, "n"),
      peerAddress: "p".repeat(300),
      clientAddress: "c".repeat(300),
      adminAddress: "a".repeat(300),
      diskId: new Uint8Array(16).fill(i),
      protocolVersion: 2 ** 32 - 1,
      promoteWhenCaughtUp: true,
    }];
  }));
}

const SOME = new Map<number, Member>([
  [1, memberOf(1)],
  [2, {
    ...memberOf(2, "[::1]:4701"),
    diskId: new Uint8Array(16),
    protocolVersion: 3,
  }],
  [9, { ...memberOf(9), promoteWhenCaughtUp: true }],
]);

/** What `run` throws, as code and fault. */
function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const { code, fault } = error as NodeError & { fault?: string };
    return `${code} ${fault}`;
  }
  return "none";
}

for (const members of [new Map(), SOME, longest(MEMBERS_MAX)]) {
  Deno.test(`decodeMembers() gives back ${members.size} members`, () => {
    assert.deepEqual(decodeMembers(encodeMembers(members)), members);
  });
}

Deno.test("encodeMembers() fits the largest members into one row", () => {
  const { length } = encodeMembers(longest(MEMBERS_MAX));
  assert.equal(length, MEMBERS_ROW_BYTES_MAX);
  assert.ok(length <= KV_VALUE_BYTES_MAX);
});

Deno.test("encodeMembers() orders members by their ids", () => {
  const turned = new Map([...SOME].reverse());
  assert.deepEqual(encodeMembers(turned), encodeMembers(SOME));
});

const TOO_MUCH: [what: string, members: ReadonlyMap<number, Member>][] = [
  ["members", longest(MEMBERS_MAX + 1)],
  ["of a name", new Map([[1, { ...memberOf(1), name: "n".repeat(64) }]])],
  ["of an address", new Map([[1, memberOf(1, "a".repeat(301))]])],
  [
    "of a disk id",
    new Map([[1, { ...memberOf(1), diskId: new Uint8Array(17) }]]),
  ],
];
for (const [what, members] of TOO_MUCH) {
  Deno.test(`encodeMembers() asserts that there is not too much ${what}`, () => {
    assert.throws(() => encodeMembers(members), InvariantError);
  });
}

Deno.test("decodeMembers() refuses every changed bit and truncation", () => {
  const bytes = encodeMembers(SOME);
  for (let at = 0; at < bytes.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << bit;
      assert.match(
        faultOf(() => decodeMembers(changed)),
        at === 0 ? /^STORE_VERSION_UNSUPPORTED/ : /^STORE_ROW_DAMAGED/,
      );
    }
    const cut = bytes.subarray(0, at);
    assert.match(faultOf(() => decodeMembers(cut)), /^STORE_ROW_DAMAGED/);
  }
});

/** `bytes` with their checksum. */
function sealed(bytes: Uint8Array): Bytes {
  const checksum = new Uint8Array(4);
  viewOf(checksum).setUint32(0, crc32c(bytes));
  return concatBytes(bytes, checksum);
}

const BODY = encodeMembers(SOME).slice(0, -4);
/** The first member has 29 bytes, a name of 2 and four lengths. */
const SECOND = 3 + 29 + 2 + 8;

const FAULTS: [fault: string, at: number, byte: number][] = [
  ["too many members", 2, MEMBERS_MAX + 1],
  ["bytes after the members", 2, 2],
  ["a member cut short or too long", 2, 4],
  ["out of order", SECOND + 7, 1],
  ["number too big", 3, 1],
  ["unknown flags", 11, 4],
  ["disk id without its flag", 16, 1],
  ["a member cut short or too long", 33, 64],
  ["not UTF-8", 34, 0xff],
];
for (const [fault, at, byte] of FAULTS) {
  Deno.test(`decodeMembers() says "${fault}" of ${byte} at ${at}`, () => {
    const changed = BODY.slice();
    changed[at] = byte;
    assert.equal(
      faultOf(() => decodeMembers(sealed(changed))),
      `STORE_ROW_DAMAGED ${fault}`,
    );
  });
}
