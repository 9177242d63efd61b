// Goal: a cluster that is taken up the ladder while everything goes wrong loses
// nothing, keeps nothing in cleartext that it promised not to, repeats no nonce,
// and is in phase 2 once things go right.
//
// Method: seeds of whole nodes with an operator who asks for every step at any
// moment; some of them on disks put back, and on clusters that were cloned.
import assert from "node:assert/strict";
import { NonceLedger } from "../encryption/nonce_ledger.ts";
import { type RunReport, runSeed } from "../run_seed.ts";
import { drawRolloutSwarm } from "./rollout_swarm.ts";
import { Dice } from "../../raft/dice.ts";

const SEEDS = 8;
const PUT_BACK_SEEDS = 2;
const CLONE_AT_MS = 24_000;

function assertGood({ seed, failure }: RunReport): void {
  const replay = `deno task sim --only rollout --seeds 1 --from ${seed}`;
  assert.ok(failure === null, `seed ${seed}: ${failure?.detail}\n${replay}`);
}

Deno.test("rollouts survive their seeds", async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const report = await runSeed(`${seed}`, { only: "rollout" });
    assertGood(report);
    const { record, entry } = report.keys.sealed;
    assert.ok(record > 20, `seed ${seed}: ${record} records sealed`);
    assert.ok(entry > 20, `seed ${seed}: ${entry} entries sealed`);
  }
});

Deno.test("a seed of a rollout gives the same run again", async () => {
  const first = await runSeed("1", { only: "rollout" });
  assert.deepEqual(await runSeed("1", { only: "rollout" }), first);
});

Deno.test("rollouts on disks that are put back repeat no nonce", async () => {
  for (let seed = 1; seed <= PUT_BACK_SEEDS; seed += 1) {
    const name = `rollout/put-back/${seed}`;
    const keys = drawRolloutSwarm(new Dice(name));
    const everySeconds = { ...keys.everySeconds, "put-back": 3 };
    const ledger = new NonceLedger();
    const report = await runSeed(name, {
      keys: { ...keys, everySeconds },
      ledger,
    });
    assertGood(report);
  }
});

Deno.test("a cloned rollout and its original repeat no nonce", async () => {
  const ledger = new NonceLedger();
  const name = "rollout/clone/1";
  const keys = {
    ...drawRolloutSwarm(new Dice(name)),
    everySeconds: {
      "kek-down": 0,
      "wrong-kek": 0,
      "encryption": 2,
      "put-back": 0,
    },
  };
  const first = await runSeed(name, { keys, ledger, cloneAtMs: CLONE_AT_MS });
  assertGood(first);
  assert.ok(first.clone !== null);
  const { record, entry } = { ...ledger.counts };
  const past = { ...first.clone, seed: name };
  const second = await runSeed(`${name}/again`, { keys, ledger, past });
  assertGood(second);
  assert.ok(ledger.counts.record > record + 50, "both sealed records");
  assert.ok(ledger.counts.entry > entry + 50, "both sealed entries");
});

Deno.test("seeds of rollouts that found something stay fixed", async () => {
  const lines = Deno.readTextFileSync(new URL("./seeds.txt", import.meta.url))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of lines) {
    const [seed = ""] = line.split(" ");
    assertGood(await runSeed(seed, { only: "rollout" }));
  }
});
