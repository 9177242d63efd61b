import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { Inflights } from "../../../src/raft/inflights.ts";
import {
  assertMembership,
  describeConfig,
  isVoter,
  NO_CONFIG,
  voterIds,
} from "../../../src/raft/membership.ts";
import { Progress } from "../../../src/raft/progress.ts";
import type { ConfState } from "../../../src/raft/types.ts";

Deno.test("voterIds() and isVoter() look at both halves", () => {
  const config = { ...NO_CONFIG, voters: [2, 9], votersOutgoing: [1, 2] };
  assert.deepEqual(voterIds(config), [1, 2, 9]);
  const seen = [1, 2, 3, 9].map((id) => isVoter(config, id));
  assert.deepEqual(seen, [true, true, false, true]);
});

Deno.test("describeConfig() shows every field", () => {
  const full: ConfState = {
    voters: [1, 255],
    votersOutgoing: [2],
    learners: [3],
    learnersNext: [2],
    autoLeave: true,
  };
  assert.equal(
    describeConfig(full),
    "voters=(1 ff)&&(2) learners=(3) learners_next=(2) autoleave",
  );
  assert.equal(describeConfig(NO_CONFIG), "voters=()");
});

Deno.test("assertMembership() refuses what cannot be", () => {
  const progress = new Map([1, 2, 3].map((id) => [id, voterRecord()]));
  const cases: Partial<ConfState>[] = [
    { voters: [1, 2, 3, 4] },
    { voters: [1, 2, 3], learners: [3] },
    { voters: [1, 2, 3], votersOutgoing: [4] },
    { voters: [1, 2], learners: [3] },
    { voters: [1, 2], votersOutgoing: [1], learnersNext: [3] },
    { voters: [1, 2, 3], learnersNext: [3] },
    { voters: [1, 2, 3], autoLeave: true },
  ];
  for (const given of cases) {
    const config = { ...NO_CONFIG, ...given };
    assert.throws(
      () => assertMembership({ config, progress }),
      InvariantError,
      JSON.stringify(given),
    );
  }
});

function voterRecord(): Progress {
  return new Progress({
    match: 0,
    next: 1,
    isLearner: false,
    recentActive: true,
    inflights: new Inflights({ countMax: 1, bytesMax: 0 }),
  });
}
