import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import type { Member } from "../../../src/fsm/types.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../../src/fsm/errors.ts";
import { encodeEncryption } from "../../../src/fsm/encryption_payload.ts";
import {
  decodePayload,
  encodeAnnouncement,
  encodeBatch,
  encodeClock,
  encodeClusterInit,
} from "../../../src/fsm/payload.ts";
import { EVERY_KIND } from "./encryption_fixtures.ts";

const ID = new Uint8Array(16).fill(0xab);
const MEMBER: Member = {
  id: 300,
  name: "n1",
  peerAddress: "a:1",
  clientAddress: "b:2",
  adminAddress: "c:3",
  diskId: new Uint8Array(16).fill(0xcd),
  protocolVersion: 2,
  promoteWhenCaughtUp: true,
};
const MEMBER_HEX = `08ac0212026e311a03613a312203623a322a03633a333210${
  "cd".repeat(16)
}3802`;

Deno.test("encodeBatch() puts tag 0x01 before the batch", () => {
  const write = { database: "a", checks: [], changes: [] };
  const bytes = encodeBatch([write], 5);
  assert.equal(toHex(bytes), "01080512030a0161");
  assert.deepEqual(decodePayload(bytes), {
    kind: "batch",
    nowMs: 5,
    writes: [write],
  });
});

Deno.test("encodeClock() is tag 0x02 and a u64", () => {
  const bytes = encodeClock(0x1_0000_0001);
  assert.equal(toHex(bytes), "020000000100000001");
  assert.deepEqual(decodePayload(bytes), {
    kind: "clock",
    clockMs: 0x1_0000_0001,
  });
});

Deno.test("encodeClusterInit() is tag 0x06, id and name", () => {
  const bytes = encodeClusterInit(ID, "ü", []);
  assert.equal(toHex(bytes), `060a10${"ab".repeat(16)}1202c3bc`);
  assert.deepEqual(decodePayload(bytes), {
    kind: "cluster-init",
    clusterId: ID,
    clusterName: "ü",
    members: [],
  });
});

Deno.test("encodeClusterInit() has the founding members at the end", () => {
  const members = [{ ...MEMBER, diskId: null }, {
    ...MEMBER,
    id: 301,
    name: "n2",
  }];
  const bytes = encodeClusterInit(ID, "a", members);
  assert.ok(
    toHex(bytes).startsWith(`060a10${"ab".repeat(16)}1201611a1a08ac02`),
  );
  assert.deepEqual(decodePayload(bytes), {
    kind: "cluster-init",
    clusterId: ID,
    clusterName: "a",
    members,
  });
});

Deno.test("encodeAnnouncement() is tag 0x08 and a member with its disk", () => {
  const bytes = encodeAnnouncement(MEMBER);
  assert.equal(toHex(bytes), `080a2a${MEMBER_HEX}`);
  assert.deepEqual(decodePayload(bytes), {
    kind: "announcement",
    member: { ...MEMBER, promoteWhenCaughtUp: false },
  });
});

Deno.test("encodeAnnouncement() asserts a disk and the rules of a member", () => {
  const diskless = { ...MEMBER, diskId: null };
  assert.throws(() => encodeAnnouncement(diskless), InvariantError);
  assert.throws(() => encodeAnnouncement({ ...MEMBER, id: 0 }), InvariantError);
});

Deno.test("encodeClusterInit() asserts an id of 16 bytes and Unicode", () => {
  assert.throws(() => encodeClusterInit(ID.slice(1), "a", []), InvariantError);
  assert.throws(() => encodeClusterInit(ID, "\udfff", []), InvariantError);
  const twice = [MEMBER, MEMBER];
  assert.throws(() => encodeClusterInit(ID, "a", twice), InvariantError);
});

Deno.test("decodePayload() reads changes of encryption", () => {
  for (const change of Object.values(EVERY_KIND)) {
    const bytes = encodeEncryption(change);
    assert.deepEqual(decodePayload(bytes), { kind: "encryption", change });
  }
});

Deno.test("decodePayload() does not know other changes of encryption", () => {
  assert.throws(
    () => decodePayload(Uint8Array.of(5, 7)),
    (error) =>
      error instanceof CommandUnknownError && error.tag === 5 &&
      error.subTag === 7,
  );
});

const UNKNOWN = [0x00, 0x09, 0xff];

for (const tag of UNKNOWN) {
  Deno.test(`decodePayload() does not know tag ${tag}`, () => {
    assert.throws(
      () => decodePayload(Uint8Array.of(tag, 1, 2)),
      (error) => error instanceof CommandUnknownError && error.tag === tag,
    );
  });
}

const id = "ab".repeat(16);
const REFUSED: [what: string, hex: string][] = [
  ["nothing", ""],
  ["a registration of nobody", "03"],
  ["a change of encryption without a sub-tag", "05"],
  ["a batch that is cut short", "0112"],
  ["a clock of 7 bytes", "0200000000000000"],
  ["a clock of 9 bytes", "02000000000000000000"],
  ["a clock past 2^53", "020020000000000000"],
  ["a founding without an id", "06120161"],
  ["a founding with an id of 15 bytes", `060a0f${"ab".repeat(15)}120161`],
  ["a founding with an unknown field", `060a10${id}1201611801`],
  ["a founding with two names", `060a10${id}120161120162`],
  ["a founding out of order", `061201610a10${id}`],
  ["a founding with an empty name", `060a10${id}1200`],
  ["a founding with a name that is not UTF-8", `060a10${id}1201ff`],
  ["a founding that is cut short", `060a10${id}12`],
  ["a founding with a member without an id", `060a10${id}1a0412026e31`],
  ["a founding with a member without a name", `060a10${id}1a020801`],
  [
    "a founding with members out of order",
    `060a10${id}1a06080212026e311a06080112026e32`,
  ],
  [
    "a founding with two members of one id",
    `060a10${id}1a06080112026e311a06080112026e32`,
  ],
  [
    "a founding with two members of one name",
    `060a10${id}1a06080112026e311a06080212026e31`,
  ],
  ["a founding with a disk id of 1 byte", `060a10${id}1a09080112026e313201ff`],
  [
    "a founding with an unknown field of a member",
    `060a10${id}1a08080112026e314801`,
  ],
  ["an announcement of nobody", "08"],
  ["an announcement that is not protobuf", "080aff"],
  ["an announcement of two members", `080a2a${MEMBER_HEX}0a2a${MEMBER_HEX}`],
  ["an announcement with an unknown field", `080a2a${MEMBER_HEX}1001`],
  ["an announcement without a disk id", "080a06080112026e31"],
  ["an announcement that asks to be promoted", `080a2c${MEMBER_HEX}4001`],
  ["an announcement of id 0", `080a27${MEMBER_HEX.slice(6)}`],
  [
    "an announcement of an id past 2^53",
    `080a30088080808080808010${MEMBER_HEX.slice(6)}`,
  ],
];

for (const [what, hex] of REFUSED) {
  Deno.test(`decodePayload() refuses ${what}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodePayload(bytes), CommandMalformedError);
  });
}

for (const [tag, piece] of [["06", "1a00"], ["08", "0a00"]] as const) {
  Deno.test(`decodePayload() refuses a long body of tag 0x${tag} unread`, () => {
    const bytes = fromHex(tag + piece.repeat(20_000));
    assert.ok(bytes !== null);
    const isUnread = (error: unknown) =>
      error instanceof CommandMalformedError &&
      error.offset === bytes.length;
    assert.throws(() => decodePayload(bytes), isUnread);
  });
}

Deno.test("a cluster's name has at most 1,024 bytes", () => {
  const longest = encodeClusterInit(ID, "ü".repeat(512), []);
  assert.equal(decodePayload(longest).kind, "cluster-init");
  assert.throws(
    () => encodeClusterInit(ID, "ü".repeat(513), []),
    InvariantError,
  );
});
