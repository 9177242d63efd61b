import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import {
  decodePacket,
  encodePacket,
  type Packet,
} from "../../../src/node/packet.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const PLACE = { boot: 0x0102, term: 3, sequence: 4 } as const;
const HEAD = "000000000000010200000000000000030000000000000004";

const PACKETS: [name: string, packet: Packet, hex: string][] = [
  ["a forward", {
    kind: "forward",
    ...PLACE,
    proposalId: 5,
    payload: Uint8Array.of(0xaa, 0xbb),
  }, `01${HEAD}0000000000000005aabb`],
  ["a forward of nothing", {
    kind: "forward",
    boot: 0,
    term: 0,
    sequence: 1,
    proposalId: 0,
    payload: new Uint8Array(0),
  }, `01${"00".repeat(16)}0000000000000001${"00".repeat(8)}`],
  ["a forward of the largest numbers", {
    kind: "forward",
    boot: SAFE,
    term: SAFE,
    sequence: SAFE,
    proposalId: SAFE,
    payload: Uint8Array.of(1),
  }, `01${"001fffffffffffff".repeat(4)}01`],
  [
    "taken",
    { kind: "verdict", ...PLACE, verdict: "taken" },
    `02${HEAD}00`,
  ],
  [
    "refused",
    { kind: "verdict", ...PLACE, verdict: "refused" },
    `02${HEAD}01`,
  ],
  ["gap", { kind: "verdict", ...PLACE, verdict: "gap" }, `02${HEAD}02`],
  [
    "a state",
    { kind: "state", applied: 1, commit: 2, isReady: true, phase: 2 },
    "03000000000000000100000000000000020102",
  ],
  [
    "a state of nothing",
    { kind: "state", applied: 0, commit: 0, isReady: false, phase: 0 },
    `03${"00".repeat(18)}`,
  ],
  [
    "a packet of a topic",
    { kind: "extra", topic: 0xfe, body: Uint8Array.of(1, 2) },
    "04fe0102",
  ],
  [
    "a packet of a topic alone",
    { kind: "extra", topic: 0, body: new Uint8Array(0) },
    "0400",
  ],
];

for (const [name, packet, hex] of PACKETS) {
  Deno.test(`encodePacket() and decodePacket() mirror each other for ${name}`, () => {
    assert.equal(toHex(encodePacket(packet)), hex);
    assert.deepEqual(decodePacket(fromHex(hex)!), packet);
  });
}

const BIG = "0020000000000000";

const MALFORMED: [name: string, hex: string][] = [
  ["nothing", ""],
  ["kind 0", `00${HEAD}00`],
  ["an unknown kind", `05${HEAD}00`],
  ["a forward cut in its head", `01${HEAD}00000000000000`],
  ["a forward of sequence 0", `01${"00".repeat(32)}aa`],
  ["a forward of boot 2^53", `01${BIG}${HEAD.slice(16)}0000000000000005`],
  ["a forward of proposal 2^53", `01${HEAD}${BIG}`],
  ["a verdict cut", `02${HEAD}`],
  ["a verdict with more behind", `02${HEAD}0000`],
  ["an unknown verdict", `02${HEAD}03`],
  ["a verdict of sequence 0", `02${"00".repeat(25)}`],
  ["a verdict of term 2^53", `02${HEAD.slice(0, 16)}${BIG}${HEAD.slice(32)}00`],
  ["a state cut", `03${"00".repeat(17)}`],
  ["a state with more behind", `03${"00".repeat(19)}`],
  ["a state applied to 2^53", `03${BIG}${"00".repeat(10)}`],
  ["a state committed to 2^53", `03${"00".repeat(8)}${BIG}0000`],
  ["a state of unknown flags", `03${"00".repeat(16)}0200`],
  ["a state of phase 3", `03${"00".repeat(16)}0003`],
  ["a packet without its topic", "04"],
];

for (const [name, hex] of MALFORMED) {
  Deno.test(`decodePacket() takes no ${name}`, () => {
    assert.equal(decodePacket(fromHex(hex)!), null);
  });
}

Deno.test("decodePacket() reads bytes that lie within others", () => {
  const [, packet, hex] = PACKETS[0]!;
  const around = fromHex(`ffff${hex}`)!.subarray(2);
  assert.deepEqual(decodePacket(around), packet);
});

Deno.test("encodePacket() makes no packet of sequence 0", () => {
  const packet = { kind: "verdict", ...PLACE, sequence: 0, verdict: "gap" };
  assert.throws(() => encodePacket(packet as Packet), InvariantError);
});
