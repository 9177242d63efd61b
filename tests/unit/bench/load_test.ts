import assert from "node:assert/strict";
import { runLoad } from "../../../src/bench/load.ts";

/** Each look at the clock costs 1 ms. */
function steppingClock() {
  let now = 0;
  return {
    wallMs: () => now,
    monotonicMs: () => now += 1,
    after: () => assert.fail("the load has no timers"),
    soon: () => assert.fail("the load has no turns"),
  };
}

Deno.test("runLoad() leaves the warm-up out and closes every client", async () => {
  let sent = 0;
  let closed = 0;
  const { figures, answered } = await runLoad({
    clock: steppingClock(),
    clients: 2,
    warmUpMs: 100,
    measureMs: 100,
    connect: () =>
      Promise.resolve({
        send: () => {
          sent += 1;
          return Promise.resolve();
        },
        close: () => closed += 1,
      }),
  });
  assert.ok(figures.count < sent, `${figures.count} of ${sent} measured`);
  assert.ok(figures.count > 20);
  assert.equal(answered, sent);
  assert.equal(closed, 2);
});

Deno.test("runLoad() ends with the error of a client", async () => {
  let closed = 0;
  const run = runLoad({
    clock: steppingClock(),
    clients: 1,
    warmUpMs: 1,
    measureMs: 100,
    connect: () =>
      Promise.resolve({
        send: () => Promise.reject(new Error("refused")),
        close: () => closed += 1,
      }),
  });
  await assert.rejects(run, /refused/);
  assert.equal(closed, 1);
});
