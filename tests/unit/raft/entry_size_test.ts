import { strict as assert } from "node:assert";
import {
  encodingSize,
  encodingSizeOf,
  limitSize,
  payloadSizeOf,
} from "../../../src/raft/entry_size.ts";
import { entriesOf } from "../../scenario/memory_storage.ts";

Deno.test("encodingSize() is that of a protobuf message", () => {
  const data = (length: number) => new Uint8Array(length);
  const cases = [
    { type: 0, term: 0, index: 0, data: data(0), want: 0 },
    { type: 0, term: 1, index: 1, data: data(0), want: 4 },
    { type: 2, term: 1, index: 1, data: data(0), want: 6 },
    { type: 0, term: 127, index: 128, data: data(0), want: 5 },
    { type: 0, term: 1, index: 2 ** 35, data: data(0), want: 9 },
    { type: 0, term: 1, index: 1, data: data(1), want: 7 },
    { type: 0, term: 1, index: 1, data: data(127), want: 4 + 2 + 127 },
    { type: 0, term: 1, index: 1, data: data(128), want: 4 + 3 + 128 },
    { type: 0, term: 2 ** 53 - 1, index: 1, data: data(0), want: 11 },
  ] as const;
  for (const { want, ...entry } of cases) {
    assert.equal(encodingSize(entry), want, JSON.stringify(entry));
  }
});

Deno.test("encodingSizeOf() and payloadSizeOf() add up", () => {
  const [first] = entriesOf(1, 1);
  assert.ok(first);
  const entries = [{ ...first, data: new Uint8Array(10) }, first];
  assert.equal(encodingSizeOf(entries), 16 + 4);
  assert.equal(payloadSizeOf(entries), 10);
  assert.equal(payloadSizeOf([]), 0);
});

Deno.test("limitSize() keeps the longest prefix and at least one entry", () => {
  // Four bytes each.
  const entries = entriesOf(4, 4, 5, 6);
  const cases = [
    { bytesMax: 0, want: 1 },
    { bytesMax: 3, want: 1 },
    { bytesMax: 7, want: 1 },
    { bytesMax: 8, want: 2 },
    { bytesMax: 11, want: 2 },
    { bytesMax: 12, want: 3 },
    { bytesMax: Infinity, want: 3 },
  ];
  for (const { bytesMax, want } of cases) {
    assert.equal(limitSize(entries, bytesMax).length, want, `${bytesMax}`);
  }
  assert.equal(limitSize([], 0).length, 0);
});
