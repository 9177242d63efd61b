// Goal: no nonce comes twice under one key, not even when disks are put back
// or a whole cluster is cloned, and a disk put back is named.
//
// Method: seeds of whole nodes whose disks get images of before; clusters whose
// disks are copied at one moment and go on twice, with other dice.
import assert from "node:assert/strict";
import { runSeed } from "../run_seed.ts";
import type { KeySwarm } from "./key_swarm.ts";
import { NonceLedger } from "./nonce_ledger.ts";

const PUT_BACK_SEEDS = 5;
const CLONE_SEEDS = 2;
const CLONE_AT_MS = 21_000;

const KEYS: KeySwarm = {
  kekCount: 2,
  everySeconds: {
    "kek-down": 12,
    "wrong-kek": 12,
    "encryption": 2,
    "put-back": 0,
  },
  sealMs: 300,
  hasKeysFirst: true,
  rollout: null,
};

Deno.test("disks that are put back repeat no nonce", async () => {
  const keys = {
    ...KEYS,
    everySeconds: { ...KEYS.everySeconds, "encryption": 20, "put-back": 2 },
  };
  let rollbacks = 0;
  for (let seed = 1; seed <= PUT_BACK_SEEDS; seed += 1) {
    const report = await runSeed(`put-back/${seed}`, { keys });
    assert.equal(report.failure, null, `seed ${report.seed}`);
    rollbacks += report.keys.rollbacks;
  }
  assert.ok(rollbacks > PUT_BACK_SEEDS, `${rollbacks} named`);
});

Deno.test("a cloned cluster and its original repeat no nonce", async () => {
  for (let seed = 1; seed <= CLONE_SEEDS; seed += 1) {
    const ledger = new NonceLedger();
    const name = `clone/${seed}`;
    const first = await runSeed(name, {
      ...{ keys: KEYS, ledger, cloneAtMs: CLONE_AT_MS },
    });
    assert.equal(first.failure, null, `seed ${name}`);
    assert.ok(first.clone !== null);
    const past = { ...first.clone, seed: name };
    const before = ledger.size;
    const second = await runSeed(`${name}/again`, { keys: KEYS, ledger, past });
    assert.equal(second.failure, null, `seed ${name}, again`);
    assert.ok(ledger.size > before + 100, "both have sealed");
  }
});
