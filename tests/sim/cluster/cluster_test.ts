// Goal: whatever happens to machines, disks, clocks and the network, clients
// of whole nodes see one Deno KV, and the cluster serves again once it is over.
//
// Method: each seed draws a cluster, its options, clients and faults; 60
// virtual seconds of it. `deno task sim` runs more seeds.
import assert from "node:assert/strict";
import { type RunReport, runSeed } from "./run_seed.ts";

const SEEDS = 30;

function assertGood({ seed, failure }: RunReport): void {
  const replay = `deno task sim --seeds 1 --from ${seed} --trace`;
  assert.ok(failure === null, `seed ${seed}: ${failure?.detail}\n${replay}`);
}

Deno.test("whole nodes survive their seeds", async () => {
  let operations = 0;
  let undecided = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const report = await runSeed(`${seed}`);
    assertGood(report);
    operations += report.operations;
    undecided += report.undecided;
  }
  assert.ok(operations > SEEDS * 100, `${operations} operations`);
  assert.equal(undecided, 0, "every history is decided");
});

Deno.test("a seed of whole nodes gives the same run again", async () => {
  for (let seed = 1; seed <= 2; seed += 1) {
    const first = await runSeed(`${seed}`);
    assert.deepEqual(await runSeed(`${seed}`), first);
    const traced = await runSeed(`${seed}`, { isTracing: true });
    assert.equal(traced.hash, first.hash);
  }
});

Deno.test("seeds of whole nodes that found something stay fixed", async () => {
  const lines = Deno.readTextFileSync(new URL("./seeds.txt", import.meta.url))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of lines) {
    const [seed = "", how] = line.split(" ");
    const options = how === "plain" ? { keys: null } : {};
    assertGood(await runSeed(seed, options));
  }
});
