import { fromBinary, toBinary } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import fc from "fast-check";
import { InvariantError } from "../../../src/base/assert.ts";
import { concatBytes, fromHex, toHex } from "../../../src/base/bytes.ts";
import {
  BATCH_WRITES_MAX,
  type CommandBatch,
  decodeBatch,
  encodeBatch,
} from "../../../src/fsm/batch_codec.ts";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { CommandBatchSchema } from "../../../src/fsm/gen/command_pb.ts";
import type { AtomicWrite, Change } from "../../../src/fsm/types.ts";
import { bytesValue, commandBatch } from "./arbitraries.ts";
import { fromMessage, toMessage } from "./command_message.ts";

const EMPTY: AtomicWrite = { database: "", checks: [], changes: [] };
const KEY = Uint8Array.of(1);

Deno.test("encodeBatch() writes what protobuf-es writes", () => {
  fc.assert(fc.property(commandBatch, (batch) => {
    const message = toBinary(CommandBatchSchema, toMessage(batch));
    assert.equal(toHex(encodeBatch(batch)), toHex(message));
  }));
});

Deno.test("decodeBatch() reads what protobuf-es writes", () => {
  fc.assert(fc.property(commandBatch, (batch) => {
    const message = toBinary(CommandBatchSchema, toMessage(batch));
    assert.deepEqual(decodeBatch(message, 0), batch);
  }));
});

Deno.test("encodeBatch() is read by protobuf-es", () => {
  fc.assert(fc.property(commandBatch, (batch) => {
    const message = fromBinary(CommandBatchSchema, encodeBatch(batch));
    assert.deepEqual(fromMessage(message), batch);
  }));
});

Deno.test("encodeBatch() writes behind a head, decodeBatch() reads there", () => {
  const batch: CommandBatch = { nowMs: 7, writes: [EMPTY] };
  const bytes = encodeBatch(batch, Uint8Array.of(0xaa, 0xbb));
  assert.equal(toHex(bytes), "aabb08071200");
  assert.deepEqual(decodeBatch(bytes, 2), batch);
});

Deno.test("encodeBatch() keeps large values, names and times", () => {
  const data = new Uint8Array(70_000).fill(7);
  const batch: CommandBatch = {
    nowMs: Number.MAX_SAFE_INTEGER,
    writes: [{
      database: "\ufeff" + "ü".repeat(3_000),
      checks: [],
      changes: [{
        kind: "sum",
        key: data,
        value: { data, encoding: 1 },
        min: data,
        max: data,
        clamp: true,
      }],
    }],
  };
  assert.deepEqual(decodeBatch(encodeBatch(batch), 0), batch);
});

const UNENCODABLE: [what: string, batch: CommandBatch][] = [
  ["a negative time", { nowMs: -1, writes: [] }],
  ["a time that is no integer", { nowMs: 0.5, writes: [] }],
  ["an expiry past 2^53", withChange({ expireAtMs: 2 ** 53 })],
  ["a lone surrogate", {
    nowMs: 0,
    writes: [{ ...EMPTY, database: "\ud800" }],
  }],
  ["a versionstamp of 9 bytes", {
    nowMs: 0,
    writes: [{
      ...EMPTY,
      checks: [{ key: KEY, versionstamp: new Uint8Array(9) }],
    }],
  }],
  ["too many writes", {
    nowMs: 0,
    writes: new Array(BATCH_WRITES_MAX + 1).fill(EMPTY),
  }],
];

for (const [what, batch] of UNENCODABLE) {
  Deno.test(`encodeBatch() asserts against ${what}`, () => {
    assert.throws(() => encodeBatch(batch), InvariantError);
  });
}

Deno.test("decodeBatch() stops at the first write too many", () => {
  const bytes = new Uint8Array(2 * (BATCH_WRITES_MAX + 9));
  for (let at = 0; at < bytes.length; at += 2) bytes[at] = 0x12;
  const isAtOnce = (error: unknown) =>
    error instanceof CommandMalformedError &&
    error.offset <= 2 * (BATCH_WRITES_MAX + 1);
  assert.throws(() => decodeBatch(bytes, 0), isAtOnce);
});

Deno.test("decodeBatch() takes BATCH_WRITES_MAX writes and no more", () => {
  const writes = new Array(BATCH_WRITES_MAX).fill(EMPTY);
  const bytes = encodeBatch({ nowMs: 1, writes });
  assert.equal(decodeBatch(bytes, 0).writes.length, BATCH_WRITES_MAX);
  assert.throws(
    () => decodeBatch(concatBytes(bytes, Uint8Array.of(0x12, 0)), 0),
    CommandMalformedError,
  );
});

/** Bytes of a batch of one write of one change of these bytes. */
function inChange(hex: string): string {
  const size = (bytes: string) => (bytes.length / 2).toString(16);
  const change = `1a${size(hex).padStart(2, "0")}${hex}`;
  return `12${size(change).padStart(2, "0")}${change}`;
}

Deno.test("decodeBatch() reads the change that the refused ones vary", () => {
  const bytes = bytesOf(inChange("0801" + "120101" + "1a021003"));
  assert.deepEqual(decodeBatch(bytes, 0).writes[0]?.changes, [{
    kind: "set",
    key: KEY,
    value: bytesValue(),
    expireAtMs: 0,
  }]);
});

const REFUSED: [what: string, hex: string][] = [
  ["an unknown field of the batch", "1800"],
  ["an unknown field of a write", "12022000"],
  ["an unknown field of a check", "120412021800"],
  ["an unknown field of a change", inChange("080212010140" + "01")],
  ["an unknown field of a value", inChange("08011201011a041003" + "1801")],
  ["a group", "13"],
  ["a fixed number", "0d00000000"],
  ["a field twice", "08010802"],
  ["a name twice", "12060a01610a0162"],
  ["a key twice", inChange("0802120101120102")],
  ["fields out of order", "12000801"],
  ["a check after a change", "120a1a0508021201011200"],
  ["a key after a value", inChange("08011a021003120101")],
  ["a time of 0 written out", "0800"],
  ["an empty name written out", "12020a00"],
  ["an empty key written out", inChange("08021200")],
  ["a long varint", "088100"],
  ["a length past the end", "1201"],
  ["a change longer than its write", "12031a0508021201"],
  ["a name that is not UTF-8", "12030a01ff"],
  ["a versionstamp of 9 bytes", "120d120b12" + "09" + "00".repeat(9)],
  ["a change of no kind", inChange("1201011a021003")],
  ["a change of an unknown kind", inChange("08061201011a021003")],
  ["a set without a value", inChange("0801120101")],
  ["a delete with a value", inChange("08021201011a021003")],
  ["a value of no encoding", inChange("08011201011a00")],
  ["a value of an unknown encoding", inChange("08011201011a021004")],
  ["a delete with an expiry", inChange("08021201012001")],
  ["a sum with an expiry", inChange("08031201011a0210032001")],
  ["a set with a bound", inChange("08011201011a0210032a0101")],
  ["a max with a clamp", inChange("08041201011a0210033801")],
  ["a clamp of 2", inChange("08031201011a0210033802")],
];

for (const [what, hex] of REFUSED) {
  Deno.test(`decodeBatch() refuses ${what}`, () => {
    assert.throws(() => decodeBatch(bytesOf(hex), 0), CommandMalformedError);
  });
}

function withChange(fields: { expireAtMs: number }): CommandBatch {
  const change: Change = {
    kind: "set",
    key: KEY,
    value: bytesValue(1),
    ...fields,
  };
  return { nowMs: 0, writes: [{ ...EMPTY, changes: [change] }] };
}

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  assert.ok(bytes !== null, hex);
  return bytes;
}
