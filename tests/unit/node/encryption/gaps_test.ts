import assert from "node:assert/strict";
import type { CustodyGap, KeyCustody } from "../../../../src/keys/port.ts";
import { gapsInTime } from "../../../../src/node/encryption/gaps.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { custodyOf } from "./fan_out_bench.ts";
import { FakeCustody } from "./fake_custody.ts";

async function kindsOf(custody: KeyCustody): Promise<string> {
  const gaps = await gapsInTime(custody, new SimClock());
  return gaps.map(({ kind }) => kind).join();
}

Deno.test("gapsInTime() lists what a node lacks", async () => {
  const kek = await TestKek.of(7);
  assert.equal(await kindsOf(await custodyOf("n1", [kek])), "");
  assert.equal(await kindsOf(await custodyOf("n1", [])), "kek");
  const off = await custodyOf("n1", [], { isEnabled: false });
  assert.equal(await kindsOf(off), "flag,kek");
  kek.isDown = true;
  assert.equal(await kindsOf(await custodyOf("n1", [kek])), "kek");
});

Deno.test("gapsInTime() waits 5 s for a KEK and no longer", async () => {
  const clock = new SimClock();
  const custody = new FakeCustody("n1");
  const { promise, resolve } = Promise.withResolvers<readonly CustodyGap[]>();
  Object.assign(custody, { gaps: () => promise });
  const [gap] = await clock.until(gapsInTime(custody, clock));
  assert.equal(clock.monotonicMs(), 5_000);
  assert.ok(gap!.kind === "kek");
  assert.match(gap!.cause!.message, /file:00.* within 5000 ms/);
  const gaps = gapsInTime(custody, clock);
  resolve([]);
  assert.deepEqual(await gaps, []);
  assert.equal(clock.nextAtMs(), null, "no timer is left");
});
