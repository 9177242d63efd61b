/*
 * Goal: whatever a server sends, FrameCutter gives frames or one error, and
 * where the bytes were cut makes no difference.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FRAME_BYTES_MAX,
  FrameCutter,
  type Http2Frame,
} from "../../src/bench/http2_frame.ts";

type Outcome = { readonly frames: Http2Frame[]; readonly failed: boolean };

function cut(chunks: readonly Uint8Array[]): Outcome {
  const cutter = new FrameCutter();
  const frames: Http2Frame[] = [];
  for (const chunk of chunks) {
    try {
      frames.push(...cutter.push(new Uint8Array(chunk)));
    } catch (error) {
      assert.match(String(error), /frame too large/);
      return { frames, failed: true };
    }
  }
  return { frames, failed: false };
}

Deno.test("FrameCutter survives any bytes", () => {
  fc.assert(fc.property(
    fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }),
    (chunks) => {
      for (const { payload } of cut(chunks).frames) {
        assert.ok(payload.length <= FRAME_BYTES_MAX);
      }
    },
  ));
});

Deno.test("FrameCutter gives the same frames however the bytes are cut", () => {
  const small = fc.uint8Array({ minLength: 6, maxLength: 6 });
  const frame = fc.tuple(small, fc.uint8Array({ maxLength: 40 })).map((
    [rest, payload],
  ) => [0, 0, payload.length, ...rest, ...payload]);
  fc.assert(fc.property(
    fc.array(frame, { maxLength: 8 }),
    fc.array(fc.nat(400), { maxLength: 8 }),
    (frames, cuts) => {
      const bytes = new Uint8Array(frames.flat());
      const at = [0, ...cuts.map((n) => n % (bytes.length + 1)), bytes.length]
        .sort((a, b) => a - b);
      const chunks = at.slice(1).map((until, i) => bytes.slice(at[i], until));
      assert.deepEqual(cut(chunks), cut([bytes]));
      assert.equal(cut([bytes]).frames.length, frames.length);
    },
  ));
});
