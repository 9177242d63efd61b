import assert from "node:assert/strict";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
} from "../../../src/wal/segment_header.ts";
import { foundedHeader } from "./states.ts";

const HEADER = {
  ...foundedHeader(9, 3),
  clusterId: new Uint8Array(16).fill(5),
  sequence: 4,
};

Deno.test("decodeSegmentHeader() reads what encodeSegmentHeader() wrote", () => {
  const body = encodeSegmentHeader(HEADER);
  assert.deepEqual(decodeSegmentHeader(body), HEADER);
});

Deno.test("decodeSegmentHeader() refuses a cut or longer body", () => {
  const body = encodeSegmentHeader(HEADER);
  for (let length = 0; length < body.length; length += 1) {
    assert.equal(decodeSegmentHeader(body.subarray(0, length)), null);
  }
  const longer = new Uint8Array(body.length + 1);
  longer.set(body);
  assert.equal(decodeSegmentHeader(longer), null);
});

Deno.test("decodeSegmentHeader() tells another format", () => {
  const body = encodeSegmentHeader({ ...HEADER, format: 2 });
  assert.deepEqual(decodeSegmentHeader(body), { format: 2, sequence: null });
});

Deno.test("decodeSegmentHeader() refuses a name that is not UTF-8", () => {
  const body = encodeSegmentHeader({ ...HEADER, nodeName: "n1" });
  const at = body.findIndex((byte, i) => byte === 0x6e && body[i + 1] === 0x31);
  body[at] = 0x97;
  assert.equal(decodeSegmentHeader(body), null);
});
