import { deepEqual, equal, notDeepEqual, ok, throws } from "node:assert/strict";
import { InvariantError } from "../../src/base/assert.ts";
import type { Random } from "../../src/io/random.ts";

/** What every `Random` does. */
export function runRandomContract(name: string, make: () => Random): void {
  for (const length of [0, 1, 3, 4, 16, 65_535, 65_536, 65_537, 200_000]) {
    Deno.test(`${name}: bytes(${length}) has that length`, () => {
      equal(make().bytes(length).length, length);
    });
  }

  Deno.test(`${name}: bytes() are fresh and fill to the end`, () => {
    const random = make();
    notDeepEqual(random.bytes(16), random.bytes(16));
    const bytes = random.bytes(200_000);
    for (let at = 0; at < bytes.length; at += 10_000) {
      equal(new Set(bytes.subarray(at, at + 10_000)).size, 256, `from ${at}`);
    }
  });

  Deno.test(`${name}: below() is uniform over [0, until)`, () => {
    const random = make();
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 14_000; i += 1) counts[random.below(7)]! += 1;
    // 2,000 expected each; 7 standard deviations are 290.
    for (const count of counts) ok(Math.abs(count - 2_000) < 290, `${counts}`);
  });

  Deno.test(`${name}: below() does not favour small results`, () => {
    const random = make();
    // The remainder alone would put half of all draws below 2^30.
    const draws = Array.from(
      { length: 9_000 },
      () => random.below(3 * 2 ** 30),
    );
    const low = draws.filter((draw) => draw < 2 ** 30).length;
    ok(Math.abs(low - 3_000) < 315, `${low} of 9,000, 7 standard deviations`);
  });

  Deno.test(`${name}: below() takes both ends of its range`, () => {
    const random = make();
    equal(random.below(1), 0);
    const high = Array.from({ length: 64 }, () => random.below(2 ** 32));
    ok(high.some((value) => value >= 2 ** 31));
    ok(high.every((value) => Number.isInteger(value) && value >= 0));
    deepEqual(high.filter((value) => value >= 2 ** 32), []);
  });

  for (const until of [0, -1, 1.5, 2 ** 32 + 1, NaN]) {
    Deno.test(`${name}: below(${until}) is refused`, () => {
      throws(() => make().below(until), InvariantError);
    });
  }
}
