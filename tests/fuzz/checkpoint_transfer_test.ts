import assert from "node:assert/strict";
import fc from "fast-check";
import { CheckpointInterruptedError } from "../../src/node/checkpoint/errors.ts";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  PIECE_HEAD_BYTES,
} from "../../src/node/checkpoint/frame.ts";
import {
  CHECKPOINT_FRAME_BYTES_MAX,
  DIGEST_BYTES,
} from "../../src/node/checkpoint/limits.ts";
import { decodeNote, encodeNote } from "../../src/node/checkpoint/note.ts";

const RUNS = { numRuns: 5000 };
const PLAIN = { noNullPrototype: true } as const;
const safe = fc.maxSafeNat();
const above = fc.maxSafeInteger().filter((value) => value > 0);
const digest = fc.uint8Array({
  minLength: DIGEST_BYTES,
  maxLength: DIGEST_BYTES,
});
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    type: fc.constant("offer" as const),
    digest,
    bytes: above,
    index: above,
    term: above,
  }, PLAIN),
  fc.record({ type: fc.constant("resume" as const), offset: safe }, PLAIN),
  fc.record({
    type: fc.constantFrom(
      "have-enough" as const,
      "busy" as const,
      "end" as const,
      "working" as const,
      "installed" as const,
      "damaged" as const,
    ),
  }, PLAIN),
  fc.record({
    type: fc.constant("refused" as const),
    reason: fc.constantFrom(
      "not-leader" as const,
      "too-large" as const,
      "no-space" as const,
      "stopping" as const,
    ),
  }, PLAIN),
  fc.record({
    type: fc.constant("piece" as const),
    offset: safe,
    data: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  }, PLAIN),
  fc.record({
    type: fc.constant("failed" as const),
    code: fc.stringMatching(/^[A-Z0-9_]{1,63}$/),
  }, PLAIN),
) as fc.Arbitrary<Frame>;

/** A frame, or a typed refusal: nothing else. */
function decoded(bytes: Uint8Array): Frame | null {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    assert.ok(error instanceof CheckpointInterruptedError, `${error}`);
    return null;
  }
}

Deno.test("decodeFrame() survives any bytes and keeps what it takes", () => {
  fc.assert(
    fc.property(
      fc.nat(14),
      fc.uint8Array({ maxLength: 100 }),
      (type, body) => {
        const bytes = Uint8Array.from([type, ...body]);
        const found = decoded(bytes);
        if (found !== null) assert.deepEqual(encodeFrame(found), bytes);
      },
    ),
    RUNS,
  );
});

Deno.test("decodeFrame() reads what encodeFrame() wrote, no more, no less", () => {
  fc.assert(
    fc.property(frame, fc.nat(), (given, cut) => {
      const bytes = encodeFrame(given);
      assert.deepEqual(decodeFrame(bytes), given);
      const shorter = decoded(bytes.subarray(0, cut % bytes.length));
      // A code has no length of its own; the frame has.
      if (given.type !== "failed") assert.equal(shorter, null);
      assert.equal(decoded(Uint8Array.from([...bytes, 0])), null);
    }),
    RUNS,
  );
});

Deno.test("decodeFrame() refuses a piece with any bit of its data changed", () => {
  const data = fc.uint8Array({ minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(safe, data, fc.nat(), (offset, data, bit) => {
      const bytes = encodeFrame({ type: "piece", offset, data });
      const at = PIECE_HEAD_BYTES + (bit >> 3) % data.length;
      bytes[at]! ^= 1 << (bit & 7);
      assert.equal(decoded(bytes), null);
    }),
    RUNS,
  );
});

Deno.test("decodeFrame() bounds a frame before it looks at it", () => {
  const data = new Uint8Array(CHECKPOINT_FRAME_BYTES_MAX - PIECE_HEAD_BYTES);
  const bytes = encodeFrame({ type: "piece", offset: 0, data });
  assert.equal(bytes.length, CHECKPOINT_FRAME_BYTES_MAX);
  assert.equal(decodeFrame(bytes).type, "piece");
  const longer = new Uint8Array(CHECKPOINT_FRAME_BYTES_MAX + 1);
  longer.set(bytes);
  assert.equal(decoded(longer), null);
  assert.equal(decoded(new Uint8Array(0)), null);
});

Deno.test("decodeNote() survives any bytes and any torn note", () => {
  const note = fc.record({ digest, total: safe, index: safe }, PLAIN);
  fc.assert(
    fc.property(note, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (
      given,
      share,
      bit,
    ) => {
      const synced = Math.floor(given.total * share);
      const bytes = encodeNote({ ...given, synced });
      assert.deepEqual(decodeNote(bytes), { ...given, synced });
      const at = (bit >> 3) % bytes.length;
      bytes[at]! ^= 1 << (bit & 7);
      assert.equal(decodeNote(bytes), null);
      assert.equal(decodeNote(bytes.subarray(0, at)), null);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.equal(decodeNote(bytes), null);
    }),
    RUNS,
  );
});
