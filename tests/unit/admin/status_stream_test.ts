import assert from "node:assert/strict";
import {
  KEEPALIVE_MS,
  MESSAGE_GAP_MS,
  statusStream,
} from "../../../src/admin/status_stream.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { fakeNode, STATUS } from "./fake_node.ts";

function watched() {
  let term = 0;
  const clock = new SimClock();
  const node = fakeNode({ status: () => ({ ...STATUS, term }) });
  const stop = new AbortController();
  const stream = statusStream({ node, clock, signal: stop.signal });
  const next = async () => {
    const { value } = await stream.next();
    return value === undefined ? null : Number(value.status?.term);
  };
  const change = () => {
    term += 1;
    node.changed();
  };
  return { clock, node, stop, stream, next, change };
}

/** Lets what is ready run; no time passes. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

Deno.test("statusStream() tells the status at once", async () => {
  const { next, stream } = watched();
  assert.equal(await next(), 0);
  await stream.return(undefined);
});

Deno.test("statusStream() joins changes that come within the gap", async () => {
  const { clock, next, change, stream } = watched();
  await next();
  const second = next();
  await settle();
  change();
  change();
  clock.advance(MESSAGE_GAP_MS - 1);
  await settle();
  change();
  clock.advance(1);
  assert.equal(await second, 3);
  await stream.return(undefined);
});

Deno.test("statusStream() tells a late change without delay", async () => {
  const { clock, next, change, stream } = watched();
  await next();
  const second = next();
  await settle();
  clock.advance(MESSAGE_GAP_MS);
  await settle();
  change();
  assert.equal(await second, 1);
  await stream.return(undefined);
});

Deno.test("statusStream() speaks when nothing changes", async () => {
  const { clock, next, stream } = watched();
  await next();
  let isTold = false;
  const second = next().finally(() => isTold = true);
  await settle();
  clock.advance(MESSAGE_GAP_MS);
  await settle();
  clock.advance(KEEPALIVE_MS - MESSAGE_GAP_MS - 1);
  await settle();
  assert.equal(isTold, false);
  clock.advance(1);
  assert.equal(await second, 0);
  await stream.return(undefined);
});

for (const moment of ["within the gap", "after the gap"] as const) {
  Deno.test(`statusStream() ends ${moment} and lets go of everything`, async () => {
    const { clock, node, next, stop } = watched();
    await next();
    const second = next();
    await settle();
    if (moment === "after the gap") {
      clock.advance(MESSAGE_GAP_MS);
      await settle();
    }
    stop.abort();
    assert.equal(await second, null);
    assert.equal(node.watcherCount, 0);
    assert.equal(clock.nextAtMs(), null);
    assert.equal(await next(), null);
  });
}

Deno.test("statusStream() lets go when its reader leaves", async () => {
  const { node, next, stream } = watched();
  await next();
  assert.equal(node.watcherCount, 1);
  await stream.return(undefined);
  assert.equal(node.watcherCount, 0);
});
