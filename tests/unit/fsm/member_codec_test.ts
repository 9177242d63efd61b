import assert from "node:assert/strict";
import { encodeMemberContext } from "../../../src/fsm/members.ts";
import {
  brokenListRule,
  brokenMemberRule,
  MEMBER_LIST_BYTES_MAX,
  memberFromMessage,
  memberToMessage,
} from "../../../src/fsm/member_codec.ts";
import { type Member, MEMBERS_MAX } from "../../../src/fsm/types.ts";

const MEMBER: Member = {
  id: 7,
  name: "n1",
  peerAddress: "[::1]:4701",
  clientAddress: "n1.example:4702",
  adminAddress: "",
  diskId: new Uint8Array(16).fill(1),
  protocolVersion: 1,
  promoteWhenCaughtUp: true,
};

const FINE: [what: string, change: Partial<Member>][] = [
  ["id 1", { id: 1 }],
  ["id 2^53 - 1", { id: Number.MAX_SAFE_INTEGER }],
  ["a name of 1", { name: "a" }],
  ["a name of 63", { name: "a.-9".padEnd(63, "z") }],
  ["an address of 300", { peerAddress: "a".repeat(300) }],
  ["no addresses", { peerAddress: "", clientAddress: "" }],
  ["no disk id", { diskId: null }],
  ["protocol version 0", { protocolVersion: 0 }],
  ["protocol version 2^32 - 1", { protocolVersion: 2 ** 32 - 1 }],
];
for (const [what, change] of FINE) {
  Deno.test(`brokenMemberRule() takes ${what}, and so do messages`, () => {
    const member = { ...MEMBER, ...change };
    assert.equal(brokenMemberRule(member), null);
    assert.deepEqual(memberFromMessage(memberToMessage(member)), member);
  });
}

const BROKEN: [what: string, change: Partial<Member>, rule: RegExp][] = [
  ["id 0", { id: 0 }, /raft id/],
  ["id 1.5", { id: 1.5 }, /raft id/],
  ["id 2^53", { id: 2 ** 53 }, /raft id/],
  ["no name", { name: "" }, /name/],
  ["a name of 64", { name: "a".repeat(64) }, /name/],
  ["a name with a capital", { name: "N1" }, /name/],
  ["a name with a line break", { name: "n1\n" }, /name/],
  ["an address of 301", { peerAddress: "a".repeat(301) }, /address/],
  ["a client address with a space", { clientAddress: "a b" }, /address/],
  ["an admin address that is not ASCII", { adminAddress: "ü" }, /address/],
  ["an address that is not Unicode", { adminAddress: "\udfff" }, /address/],
  ["a disk id of 15", { diskId: new Uint8Array(15) }, /disk id/],
  ["a disk id of 17", { diskId: new Uint8Array(17) }, /disk id/],
  ["a negative version", { protocolVersion: -1 }, /u32/],
  ["version 2^32", { protocolVersion: 2 ** 32 }, /u32/],
];
for (const [what, change, rule] of BROKEN) {
  Deno.test(`brokenMemberRule() names the rule that ${what} breaks`, () => {
    const member = { ...MEMBER, ...change };
    assert.match(brokenMemberRule(member) ?? "", rule);
    assert.match(brokenListRule([member]) ?? "", rule);
  });
}

function many(count: number): readonly Member[] {
  return Array.from({ length: count }, (_, i) => ({
    ...MEMBER,
    id: Number.MAX_SAFE_INTEGER - count + i,
    name: `${i}`.padStart(63, "n"),
    peerAddress: "p".repeat(300),
    clientAddress: "c".repeat(300),
    adminAddress: "a".repeat(300),
    protocolVersion: 2 ** 32 - 1,
  }));
}

const LISTS: [what: string, members: readonly Member[], rule: RegExp][] = [
  ["too many", many(MEMBERS_MAX + 1), /at most 32/],
  ["one id twice", [MEMBER, { ...MEMBER, name: "b" }], /order/],
  ["ids that descend", [MEMBER, { ...MEMBER, id: 6, name: "b" }], /order/],
  ["one name twice", [MEMBER, { ...MEMBER, id: 8 }], /names/],
];
for (const [what, members, rule] of LISTS) {
  Deno.test(`brokenListRule() names the rule that ${what} breaks`, () => {
    assert.match(brokenListRule(members) ?? "", rule);
  });
}

Deno.test("MEMBER_LIST_BYTES_MAX is the longest list, to the byte", () => {
  const bytes = encodeMemberContext(many(MEMBERS_MAX));
  assert.equal(bytes.length, MEMBER_LIST_BYTES_MAX);
});
