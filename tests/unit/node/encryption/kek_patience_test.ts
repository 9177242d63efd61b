import assert from "node:assert/strict";
import {
  GIVEN_UP,
  KekPatience,
} from "../../../../src/node/encryption/kek_patience.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimLog } from "../../../sim/io/log.ts";
import { CustodyFailure } from "./fake_custody.ts";

class Bench {
  readonly clock = new SimClock();
  readonly log = new SimLog(this.clock);
  readonly patience = new KekPatience(this.clock, this.log);
  readonly attemptsMs: number[] = [];
  isOver = false;

  /** Fails `failures` times, then is done. */
  run(failures: number): Promise<string | typeof GIVEN_UP> {
    return this.patience.run(
      () => {
        this.attemptsMs.push(this.clock.monotonicMs());
        return this.attemptsMs.length > failures
          ? Promise.resolve("done")
          : Promise.reject(new CustodyFailure("KEYS_KEK_UNAVAILABLE"));
      },
      () => this.isOver,
      { index: 9 },
    );
  }
}

Deno.test("KekPatience.run() asks at once, and says nothing when all is well", async () => {
  const bench = new Bench();
  assert.equal(await bench.run(0), "done");
  assert.deepEqual(bench.attemptsMs, [0]);
  assert.deepEqual(bench.log.events, []);
});

Deno.test("KekPatience.run() asks again ever later, up to 5 s, and says so once", async () => {
  const bench = new Bench();
  const done = bench.run(8);
  await bench.clock.run(6_300);
  assert.equal(bench.patience.isWaiting, true);
  assert.equal(await bench.clock.until(done), "done");
  assert.deepEqual(bench.attemptsMs, [
    ...[0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300, 16_300],
  ]);
  assert.equal(bench.patience.isWaiting, false);
  assert.deepEqual(
    bench.log.events.map(({ level, event, fields }) => [level, event, fields]),
    [
      ["warn", "encryption_kek_waiting", {
        index: 9,
        reason: "Cannot do it: KEYS_KEK_UNAVAILABLE",
      }],
      ["info", "encryption_kek_back", { index: 9 }],
    ],
  );
});

Deno.test("KekPatience.run() ends at once when it is over", async () => {
  const bench = new Bench();
  const done = bench.run(100);
  await bench.clock.run(1_000);
  bench.isOver = true;
  bench.patience.wake();
  assert.equal(await done, GIVEN_UP);
  assert.equal(bench.patience.isWaiting, false);
  assert.equal(bench.clock.nextAtMs(), null, "no timer is left");
  assert.equal(await bench.run(0), GIVEN_UP, "nor does it begin");
});

Deno.test("KekPatience.run() waits for nothing else", async () => {
  const bench = new Bench();
  const failure = new CustodyFailure("KEYS_KEK_MISMATCH");
  await assert.rejects(
    bench.patience.run(() => Promise.reject(failure), () => false, {}),
    failure,
  );
  assert.deepEqual(bench.log.events, []);
});
