import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  encodeFrame,
  FRAME,
  FRAME_BYTES_MAX,
  FrameCutter,
} from "../../../src/bench/http2_frame.ts";

const FRAMES = [
  { type: FRAME.data, flags: 1, stream: 3, payload: utf8("abc") },
  { type: FRAME.settings, flags: 0, stream: 0, payload: new Uint8Array(0) },
];
const BYTES = "0000030001" + "00000003" + "616263" + "0000000400" + "00000000";

Deno.test("encodeFrame() writes length, type, flags, stream, payload", () => {
  assert.equal(FRAMES.map(encodeFrame).map(toHex).join(""), BYTES);
});

Deno.test("FrameCutter.push() cuts wherever the bytes were cut", () => {
  const [first, second] = FRAMES.map(encodeFrame);
  const all = new Uint8Array([...first!, ...second!]);
  for (let at = 0; at <= all.length; at += 1) {
    const cutter = new FrameCutter();
    const frames = [
      ...cutter.push(all.slice(0, at)),
      ...cutter.push(all.slice(at)),
    ];
    assert.deepEqual(frames, FRAMES, `cut at ${at}`);
  }
});

Deno.test("FrameCutter.push() takes the largest frame and refuses a larger one", () => {
  const largest = encodeFrame({
    ...FRAMES[0]!,
    payload: new Uint8Array(FRAME_BYTES_MAX),
  });
  assert.equal(new FrameCutter().push(largest).length, 1);
  largest[2] = 1;
  assert.throws(() => new FrameCutter().push(largest), /frame too large/);
});

Deno.test("FrameCutter.push() ignores the reserved bit of a stream", () => {
  const bytes = encodeFrame(FRAMES[0]!);
  bytes[5] = 0x80;
  assert.equal(new FrameCutter().push(bytes)[0]?.stream, 3);
});
