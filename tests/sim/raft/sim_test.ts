// Goal: no fault that a group survives by design breaks a rule, and all
// members agree and go on once the faults are over.
//
// Method: each seed draws a group, its options and its faults; cores, disks,
// network and clocks are simulated in virtual time. Checkers look at a member
// after each of its events. `deno task sim` runs more seeds.
import { strict as assert } from "node:assert";
import { runCount } from "../../run_count.ts";
import { isFailure, runSeed } from "./run_seed.ts";

/** `deno task test:unit` runs thousands after this. */
const SEEDS = runCount(40);
const EVENTS_MAX = 4_000;

Deno.test("the raft core survives its seeds", () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const outcome = runSeed(`${seed}`, { eventsMax: EVENTS_MAX });
    if (isFailure(outcome)) {
      assert.fail(`seed ${seed}: ${outcome.check}: ${outcome.detail}`);
    }
  }
});

Deno.test("a seed gives the same run again", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const options = { eventsMax: EVENTS_MAX };
    const first = runSeed(`${seed}`, options);
    assert.deepEqual(runSeed(`${seed}`, options), first);
    assert.deepEqual(
      runSeed(`${seed}`, { ...options, isTracing: true }),
      first,
    );
  }
});

Deno.test("seeds that found something stay fixed", () => {
  const lines = Deno.readTextFileSync(new URL("./seeds.txt", import.meta.url))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of lines) {
    const [seed = "", events = ""] = line.split(" ");
    const outcome = runSeed(seed, { eventsMax: Number(events) });
    assert.ok(!isFailure(outcome), `${line}: ${JSON.stringify(outcome)}`);
  }
});
