import assert from "node:assert/strict";
import { FrameChannel } from "../../../../src/node/checkpoint/channel.ts";
import { CheckpointInterruptedError } from "../../../../src/node/checkpoint/errors.ts";
import { CHECKPOINT_LINGER_MS } from "../../../../src/node/checkpoint/limits.ts";
import { settle, SimClock } from "../../../sim/io/clock.ts";
import { StreamFaults, StreamPair } from "../../../sim/io/peer_stream.ts";

function openPair() {
  const clock = new SimClock();
  const { near, far } = new StreamPair(new StreamFaults(), 1, 2);
  return { clock, near, channel: new FrameChannel(far, clock) };
}

Deno.test("farewell() reads on until the other side closes", async () => {
  const { near, channel } = openPair();
  for (let i = 0; i < 2; i += 1) await near.write(new Uint8Array([7]));
  let isOver = false;
  const over = channel.farewell({ type: "damaged" }).then(() => isOver = true);
  await settle();
  assert.equal(isOver, false);
  // More than the system would hold for a reader that is gone.
  for (let i = 0; i < 20; i += 1) await near.write(new Uint8Array([7]));
  assert.deepEqual(await near.read(), new Uint8Array([10]));
  near.close();
  await over;
});

Deno.test("farewell() does not wait for ever", async () => {
  const { clock, channel } = openPair();
  const over = channel.farewell({ type: "damaged" });
  over.catch(() => {});
  await clock.run(CHECKPOINT_LINGER_MS);
  await assert.rejects(over, CheckpointInterruptedError);
});

Deno.test("abort() ends what waits, with its error", async () => {
  const { channel } = openPair();
  const reading = channel.receive();
  const error = new CheckpointInterruptedError("enough");
  channel.abort(error);
  await assert.rejects(reading, error);
  assert.equal(channel.isAborted, true);
});

Deno.test("receive() gives what next() has seen, then what follows", async () => {
  const { near, channel } = openPair();
  await near.write(new Uint8Array([4]));
  await near.write(new Uint8Array([7]));
  assert.equal((await channel.next()).type, "busy");
  assert.equal((await channel.receive()).type, "busy");
  assert.equal((await channel.receive()).type, "end");
  near.close();
  await assert.rejects(channel.receive(), CheckpointInterruptedError);
});
