import assert from "node:assert/strict";
import { Line } from "../../../../src/node/checkpoint/line.ts";

Deno.test("Line lets in as many as it has places, in order", async () => {
  const line = new Line(1);
  const { signal } = new AbortController();
  const came: number[] = [];
  const enter = (id: number, until = signal) =>
    line.enter(until).then((isTurn) => isTurn && came.push(id));
  const cut = new AbortController();
  await enter(1);
  const waiting = [enter(2), enter(3, cut.signal), enter(4)];
  cut.abort();
  line.leave();
  line.leave();
  await Promise.all(waiting);
  assert.deepEqual(came, [1, 2, 4]);
  assert.equal(await line.enter(cut.signal), false);
  line.leave();
  assert.equal(await line.enter(signal), true);
});
