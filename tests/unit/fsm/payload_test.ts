import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../../src/fsm/errors.ts";
import {
  decodePayload,
  encodeBatch,
  encodeClock,
  encodeClusterInit,
} from "../../../src/fsm/payload.ts";

const ID = new Uint8Array(16).fill(0xab);

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
  const bytes = encodeClusterInit(ID, "ü");
  assert.equal(toHex(bytes), `060a10${"ab".repeat(16)}1202c3bc`);
  assert.deepEqual(decodePayload(bytes), {
    kind: "cluster-init",
    clusterId: ID,
    clusterName: "ü",
  });
});

Deno.test("encodeClusterInit() asserts an id of 16 bytes and Unicode", () => {
  assert.throws(() => encodeClusterInit(ID.slice(1), "a"), InvariantError);
  assert.throws(() => encodeClusterInit(ID, "\udfff"), InvariantError);
});

const UNKNOWN = [0x00, 0x03, 0x04, 0x05, 0x07, 0x08, 0xff];

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
];

for (const [what, hex] of REFUSED) {
  Deno.test(`decodePayload() refuses ${what}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodePayload(bytes), CommandMalformedError);
  });
}
