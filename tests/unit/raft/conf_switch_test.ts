import { strict as assert } from "node:assert";
import { EMPTY_BYTES } from "../../../src/base/bytes.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  encodeConfChange,
  LEAVE_JOINT,
  type SingleChange,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
} from "../../../src/raft/conf_change.ts";
import {
  applyConfChange,
  confStateAfter,
  planConfChange,
  restoreConfig,
} from "../../../src/raft/conf_switch.ts";
import { ConfChangeMalformedError } from "../../../src/raft/errors.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
} from "../../../src/raft/types.ts";
import { Dice } from "../../sim/raft/dice.ts";
import { Member } from "./network.ts";

const TRIO: ConfState = { ...NO_CONFIG, voters: [1, 2, 3] };

function entryFor(
  index: number,
  changes: readonly SingleChange[],
  transition: 0 | 1 | 2 = TRANSITION_AUTO,
): Entry {
  const change = changes.length === 0
    ? LEAVE_JOINT
    : { transition, changes, context: EMPTY_BYTES };
  const data = encodeConfChange(change);
  return { type: ENTRY_CONF_CHANGE_V2, term: 1, index, data };
}

Deno.test("applyConfChange() returns the membership to store", () => {
  const { state } = new Member(1, { config: TRIO });
  const changes = [{ type: CHANGE_ADD_LEARNER, id: 4 } as const];
  const config = applyConfChange(state, entryFor(5, changes));
  assert.deepEqual(config, { ...TRIO, learners: [4] });
  assert.deepEqual(state.membership.config, config);
  assert.equal(state.confIndex, 5);
});

Deno.test("applyConfChange() makes nothing of the impossible, at the same index", () => {
  const { state } = new Member(1, { config: TRIO });
  assert.deepEqual(applyConfChange(state, entryFor(5, [])), TRIO);
  assert.equal(state.confIndex, 5);
});

Deno.test("applyConfChange() refuses what is no change", () => {
  const { state } = new Member(1, { config: TRIO });
  const entry: Entry = {
    type: ENTRY_CONF_CHANGE_V1,
    term: 1,
    index: 5,
    data: new Uint8Array([9, 9]),
  };
  assert.throws(() => applyConfChange(state, entry), ConfChangeMalformedError);
});

Deno.test("planConfChange() leaves the member as it is", () => {
  const { state } = new Member(1, { config: TRIO });
  const before = state.membership;
  const plan = planConfChange(state, {
    transition: TRANSITION_AUTO,
    changes: [{ type: CHANGE_ADD_LEARNER, id: 2 }],
    context: EMPTY_BYTES,
  });
  assert.ok(typeof plan !== "string");
  assert.deepEqual(plan.config.learners, [2]);
  assert.equal(state.membership, before);
  assert.equal(state.membership.progress.get(2)?.isLearner, false);
});

Deno.test("restoreConfig() takes a checkpoint's membership, joint or not", () => {
  const joint = {
    voters: [1, 2],
    votersOutgoing: [1, 3, 4],
    learners: [5],
    learnersNext: [4],
    autoLeave: true,
  };
  for (const config of [TRIO, joint]) {
    const { state } = new Member(5, { config: TRIO });
    assert.equal(restoreConfig(state, config), null);
    assert.deepEqual(state.membership.config, config);
    assert.equal(state.isLearner, config === joint);
  }
});

// The store computes the membership on its own, before the core switches.
Deno.test("confStateAfter() agrees with what the core switches to", () => {
  const dice = new Dice("confStateAfter");
  for (let run = 0; run < 50; run += 1) {
    const { state } = new Member(1, { config: TRIO });
    let stored: ConfState = TRIO;
    for (let index = 1; index <= 30; index += 1) {
      const changes = Array.from({ length: dice.below(4) }, () => ({
        type: dice.pick<SingleChange["type"]>([
          CHANGE_ADD_VOTER,
          CHANGE_ADD_LEARNER,
          CHANGE_REMOVE,
        ]),
        id: dice.between(1, 5),
      }));
      const transition = dice.pick(
        [TRANSITION_AUTO, TRANSITION_EXPLICIT] as const,
      );
      const entry = entryFor(index, changes, transition);
      stored = confStateAfter(stored, entry);
      assert.deepEqual(applyConfChange(state, entry), stored);
    }
  }
});
