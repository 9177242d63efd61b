import assert from "node:assert/strict";
import { Backoff } from "../../../src/transport/backoff.ts";
import { REDIAL_MS_MAX, REDIAL_MS_MIN } from "../../../src/transport/limits.ts";
import { SimRandom } from "../../sim/io/random.ts";

Deno.test("Backoff doubles, spread over half a step, up to its limit", () => {
  const backoff = new Backoff(new SimRandom(1));
  for (let step = REDIAL_MS_MIN; step < 8 * REDIAL_MS_MAX; step *= 2) {
    const most = Math.min(step, REDIAL_MS_MAX);
    const waitMs = backoff.nextMs();
    assert.ok(waitMs >= most / 2 && waitMs <= most, `${waitMs} of ${most}`);
  }
  backoff.reset();
  assert.ok(backoff.nextMs() <= REDIAL_MS_MIN);
});
