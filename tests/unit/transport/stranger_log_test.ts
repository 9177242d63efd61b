import assert from "node:assert/strict";
import {
  EVENT_WINDOW_MS,
  EVENTS_PER_WINDOW_MAX,
} from "../../../src/transport/limits.ts";
import { StrangerLog } from "../../../src/transport/stranger_log.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { SimLog } from "../../sim/io/log.ts";

Deno.test("StrangerLog writes like events once per window", () => {
  const clock = new SimClock();
  const log = new SimLog();
  const strangers = new StrangerLog(log, clock);
  for (let i = 0; i < 5; i += 1) strangers.write("refused", "a", { i });
  strangers.write("refused", "b", {});
  clock.advance(EVENT_WINDOW_MS);
  strangers.write("refused", "a", { i: 5 });
  assert.deepEqual(log.events.map(({ fields }) => fields), [
    { i: 0 },
    { suppressed: 4 },
    { i: 5 },
  ]);
});

Deno.test("StrangerLog bounds what many sources write together", () => {
  const clock = new SimClock();
  const log = new SimLog();
  const strangers = new StrangerLog(log, clock);
  for (let i = 0; i < 10_000; i += 1) strangers.write("garbage", `${i}`, {});
  assert.equal(log.events.length, EVENTS_PER_WINDOW_MAX);
  clock.advance(EVENT_WINDOW_MS);
  strangers.write("garbage", "0", {});
  assert.deepEqual(log.events.at(-1)?.fields, {
    suppressed: 10_000 - EVENTS_PER_WINDOW_MAX,
  });
});
