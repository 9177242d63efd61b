import { strict as assert } from "node:assert";
import fc from "fast-check";
import { EMPTY_BYTES } from "../../../src/base/bytes.ts";
import { Changer, restoreMembership } from "../../../src/raft/changer.ts";
import {
  type ConfChange,
  type SingleChange,
  type Transition,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
  TRANSITION_IMPLICIT,
} from "../../../src/raft/conf_change.ts";
import {
  describeConfig,
  type Membership,
  NO_CONFIG,
  NO_MEMBERSHIP,
} from "../../../src/raft/membership.ts";
import { describeProgressMap } from "../../../src/raft/progress.ts";
import type { ConfState } from "../../../src/raft/types.ts";
import { parseChanges } from "../../scenario/conf_change_input.ts";

const OPTIONS = { lastIndex: 10, inflights: { countMax: 4, bytesMax: 0 } };

Deno.test("restoreMembership() rebuilds every shape of config", () => {
  const cases: Partial<ConfState>[] = [
    {},
    { voters: [1, 2, 3] },
    { voters: [1, 2, 3], learners: [4, 5, 6] },
    { voters: [1, 2, 3], votersOutgoing: [1, 2, 4, 6], learners: [5] },
    {
      voters: [1, 2, 3],
      votersOutgoing: [1, 2, 4, 6],
      learners: [5],
      learnersNext: [4],
      autoLeave: true,
    },
    { voters: [3], votersOutgoing: [1, 2], learnersNext: [1, 2] },
    { voters: [7], votersOutgoing: [7] },
  ];
  for (const given of cases) {
    const config = { ...NO_CONFIG, ...given };
    const membership = made(restoreMembership(config, OPTIONS));
    assert.deepEqual({ ...membership.config }, config);
    for (const record of membership.progress.values()) {
      assert.deepEqual([record.match, record.next], [0, 10]);
      assert.equal(record.recentActive, true);
    }
  }
});

Deno.test("restoreMembership() refuses what no change leads to", () => {
  const noVoters = { ...NO_CONFIG, voters: [], learners: [1] };
  assert.equal(restoreMembership(noVoters, OPTIONS), "removed all voters");
});

Deno.test("Changer.apply() follows the mode of the change", () => {
  const cases: [Transition, string, string][] = [
    [TRANSITION_AUTO, "v4", "voters=(1 2 3 4)"],
    [TRANSITION_AUTO, "v4 r1", "voters=(2 3 4)&&(1 2 3) autoleave"],
    [TRANSITION_IMPLICIT, "v4", "voters=(1 2 3 4)&&(1 2 3) autoleave"],
    [TRANSITION_EXPLICIT, "v4", "voters=(1 2 3 4)&&(1 2 3)"],
    [TRANSITION_AUTO, "l3", "voters=(1 2) learners=(3)"],
    [TRANSITION_EXPLICIT, "l3", "voters=(1 2)&&(1 2 3) learners_next=(3)"],
    [TRANSITION_AUTO, "", "can't leave a non-joint config"],
    // D2: harmless, and the very same membership.
    [TRANSITION_EXPLICIT, "", "voters=(1 2 3)"],
    [TRANSITION_IMPLICIT, "", "voters=(1 2 3)"],
  ];
  for (const [transition, text, want] of cases) {
    const next = new Changer(three(), OPTIONS).apply(change(transition, text));
    const shown = typeof next === "string" ? next : describeConfig(next.config);
    assert.equal(shown, want, `${transition} ${text}`);
  }
});

Deno.test("Changer.apply() D2: an empty joint change while joint is harmless", () => {
  const joint = made(
    new Changer(three(), OPTIONS).apply(change(TRANSITION_EXPLICIT, "v4")),
  );
  const poison = change(TRANSITION_EXPLICIT, "");
  assert.equal(new Changer(joint, OPTIONS).apply(poison), joint);
});

Deno.test("Changer keeps the given membership as it was", () => {
  const before = three();
  const shown = describeProgressMap(before.progress);
  const changer = new Changer(before, OPTIONS);
  for (const text of ["v4", "r1", "l2", "r1 r2 r3", "v4 v5", "l1 l2 l3"]) {
    changer.simple(parseChanges(text));
    changer.enterJoint(parseChanges(text), { autoLeave: true });
    changer.leaveJoint();
    assert.equal(describeConfig(before.config), "voters=(1 2 3)", text);
    assert.equal(describeProgressMap(before.progress), shown, text);
  }
});

Deno.test("Changer keeps what is known about who stays", () => {
  const before = three();
  const record = before.progress.get(3);
  assert.ok(record);
  record.becomeReplicate();
  record.maybeUpdate(7);
  const joint = made(
    new Changer(before, OPTIONS).enterJoint(parseChanges("l3 r2 v9"), {
      autoLeave: false,
    }),
  );
  assert.equal(joint.progress.get(3)?.match, 7);
  assert.equal(joint.progress.get(3)?.isLearner, false);
  assert.equal(joint.progress.has(2), true, "still votes in the outgoing half");
  const after = made(new Changer(joint, OPTIONS).leaveJoint());
  assert.equal(after.progress.get(3)?.match, 7);
  assert.equal(after.progress.get(3)?.isLearner, true);
  assert.equal(after.progress.has(2), false);
});

Deno.test("Changer makes a newcomer that looks alive and is sent to at once", () => {
  for (const [lastIndex, next] of [[0, 1], [1, 1], [2, 2], [9, 9]] as const) {
    const options = { ...OPTIONS, lastIndex };
    const grown = made(
      new Changer(three(), options).simple(parseChanges("v4")),
    );
    const record = grown.progress.get(4);
    assert.equal(record?.next, next);
    assert.equal(record?.recentActive, true);
  }
});

Deno.test("Changer lists members in ascending order of id", () => {
  const grown = made(
    new Changer(three(), OPTIONS).enterJoint(
      parseChanges("v30 v4 v20 l100 l5"),
      { autoLeave: false },
    ),
  );
  assert.deepEqual([...grown.progress.keys()], [1, 2, 3, 4, 5, 20, 30, 100]);
  assert.deepEqual(grown.config.learners, [5, 100]);
});

const singles: fc.Arbitrary<SingleChange> = fc.record({
  type: fc.constantFrom(0, 1, 2, 3),
  id: fc.integer({ min: 0, max: 9 }),
});
const founding = fc.array(fc.integer({ min: 1, max: 9 }), {
  minLength: 1,
  maxLength: 6,
});
const steps = fc.array(singles, { maxLength: 8 });

// The two roads from one config to another must end at the same place.
Deno.test("Changer reaches by joint changes what it reaches one by one", () => {
  fc.assert(
    fc.property(founding, steps, fc.boolean(), (ids, changes, autoLeave) => {
      const start = grow(ids);
      const joint = new Changer(start, OPTIONS).enterJoint(changes, {
        autoLeave,
      });
      if (typeof joint === "string") {
        assert.equal(joint, "removed all voters");
        return;
      }
      const left = made(new Changer(joint, OPTIONS).leaveJoint());
      const simple = oneByOne(grow(ids), changes);
      if (simple === null) return;
      assert.equal(describeConfig(left.config), describeConfig(simple.config));
      assert.deepEqual(
        [...left.progress.keys()],
        [...simple.progress.keys()],
      );
    }),
    { numRuns: 500 },
  );
});

Deno.test("restoreMembership() gives back any config that changes made", () => {
  fc.assert(
    fc.property(founding, steps, fc.boolean(), (ids, changes, leave) => {
      const changer = new Changer(grow(ids), OPTIONS);
      const joint = changer.enterJoint(changes, { autoLeave: !leave });
      if (typeof joint === "string") return;
      const reached = leave
        ? made(new Changer(joint, OPTIONS).leaveJoint())
        : joint;
      const restored = made(restoreMembership(reached.config, OPTIONS));
      assert.equal(
        describeConfig(restored.config),
        describeConfig(reached.config),
      );
    }),
    { numRuns: 500 },
  );
});

function three(): Membership {
  return grow([1, 2, 3]);
}

function grow(ids: readonly number[]): Membership {
  let membership = NO_MEMBERSHIP;
  for (const id of ids) {
    const changer = new Changer(membership, OPTIONS);
    membership = made(changer.simple([{ type: 0, id }]));
  }
  return membership;
}

/** `null` when some step on the way is not possible alone. */
function oneByOne(
  start: Membership,
  changes: readonly SingleChange[],
): Membership | null {
  let membership = start;
  for (const single of changes) {
    const next = new Changer(membership, OPTIONS).simple([single]);
    if (typeof next === "string") return null;
    membership = next;
  }
  return membership;
}

function change(transition: Transition, text: string): ConfChange {
  return { transition, changes: parseChanges(text), context: EMPTY_BYTES };
}

function made(outcome: Membership | string): Membership {
  assert.notEqual(typeof outcome, "string", `${outcome}`);
  return outcome as Membership;
}
