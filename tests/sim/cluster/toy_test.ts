// Goal: every checker of the simulator of whole nodes does look.
//
// Method: three toy nodes that share one log pass; with one bug each, the
// checker for it, and no other one, ends the run.
import assert from "node:assert/strict";
import { runSeed } from "./run_seed.ts";
import { TOY_BUGS, type ToyBug, toyNodes } from "./toy_node.ts";

const SEEDS = 8;

/** The checks that may notice a bug. */
const NOTICED_BY: Readonly<Record<ToyBug, readonly string[]>> = {
  "acknowledges what is not in the log": ["AnsweredUncommitted"],
  "appends twice": ["AppliedTwice"],
  "answers another caller": ["WrongAnswer"],
  "refuses what it has appended": ["RefusedCommitted"],
  "reads without asking the leader": ["StaleRead"],
  "reads keys of one request at different times": [
    "TornRead",
    "StaleRead",
    "Linearizability",
  ],
  "applies another value on one member": ["ReplicaMismatch"],
  "commits another entry on one member": [
    "CommitMismatch",
    "CommandMalformedError",
  ],
  "leads while another one leads": ["ElectionSafety"],
  "goes back in what it has applied": ["WentBack"],
  "stops for no reason": ["Halt"],
  "never leads again": ["Liveness"],
};

Deno.test("right toy nodes pass", async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const open = toyNodes(null);
    const { failure } = await runSeed(`${seed}`, { open, members: 3 });
    assert.equal(failure, null, `seed ${seed}: ${failure?.detail}`);
  }
});

for (const bug of TOY_BUGS) {
  Deno.test(`a toy that ${bug} is caught`, async () => {
    let caught = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const open = toyNodes(bug);
      const { failure } = await runSeed(`${seed}`, { open, members: 3 });
      if (failure === null || failure.check === "Liveness") {
        caught += failure?.check === NOTICED_BY[bug][0] ? 1 : 0;
        continue;
      }
      assert.ok(NOTICED_BY[bug].includes(failure.check), failure.detail);
      caught += 1;
    }
    assert.ok(caught > SEEDS / 3, `${caught} of ${SEEDS} runs`);
  });
}

/** What clients alone can notice. */
const SEEN_OUTSIDE: readonly ToyBug[] = [
  "acknowledges what is not in the log",
  "appends twice",
  "answers another caller",
  "reads without asking the leader",
  "reads keys of one request at different times",
];

for (const bug of SEEN_OUTSIDE) {
  Deno.test(`clients notice a toy that ${bug}`, async () => {
    let caught = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const options = { open: toyNodes(bug), members: 3, onlyHistory: true };
      const { failure } = await runSeed(`${seed}`, options);
      caught += failure?.check === "Linearizability" ? 1 : 0;
    }
    assert.ok(caught > SEEDS / 3, `${caught} of ${SEEDS} runs`);
  });
}
