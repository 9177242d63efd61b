import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { concatBytes, EMPTY_BYTES, utf8 } from "../../../src/base/bytes.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_CONTEXT_BYTES_MAX,
  CHANGE_REMOVE,
  CHANGE_UPDATE,
  changeMode,
  CHANGES_MAX,
  type ConfChange,
  decodeConfChange,
  describeChanges,
  describeConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  type SingleChange,
  type Transition,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
  TRANSITION_IMPLICIT,
} from "../../../src/raft/conf_change.ts";
import { ConfChangeMalformedError } from "../../../src/raft/errors.ts";
import {
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
} from "../../../src/raft/types.ts";

const ADD_3: SingleChange = { type: CHANGE_ADD_VOTER, id: 3 };
const REMOVE_1: SingleChange = { type: CHANGE_REMOVE, id: 1 };

Deno.test("changeMode() follows the transition and the number of steps", () => {
  const cases: [Transition, readonly SingleChange[], string][] = [
    [TRANSITION_AUTO, [], "leave-joint"],
    [TRANSITION_AUTO, [ADD_3], "simple"],
    [TRANSITION_AUTO, [ADD_3, REMOVE_1], "enter-joint-auto-leave"],
    [TRANSITION_IMPLICIT, [ADD_3], "enter-joint-auto-leave"],
    [TRANSITION_IMPLICIT, [ADD_3, REMOVE_1], "enter-joint-auto-leave"],
    [TRANSITION_EXPLICIT, [ADD_3], "enter-joint"],
    [TRANSITION_EXPLICIT, [ADD_3, REMOVE_1], "enter-joint"],
    // D2: upstream enters a joint state here, which stops every member.
    [TRANSITION_IMPLICIT, [], "none"],
    [TRANSITION_EXPLICIT, [], "none"],
  ];
  for (const [transition, changes, want] of cases) {
    const change = make(changes, { transition });
    assert.equal(changeMode(change), want, `${transition} ${changes.length}`);
  }
});

Deno.test("encodeConfChange() lays out what its docstring says", () => {
  const change = make([ADD_3, { type: CHANGE_ADD_LEARNER, id: 2 ** 32 + 5 }], {
    transition: TRANSITION_EXPLICIT,
    context: utf8("hi"),
  });
  assert.deepEqual(
    [...encodeConfChange(change)],
    [1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3]
      .concat([3, 0, 0, 0, 1, 0, 0, 0, 5, 0x68, 0x69]),
  );
});

Deno.test("encodeConfChange() needs no bytes to leave a joint state", () => {
  assert.equal(encodeConfChange(LEAVE_JOINT).length, 0);
  assert.deepEqual(decodeConfChange(ENTRY_CONF_CHANGE_V2, EMPTY_BYTES), {
    ...LEAVE_JOINT,
  });
});

Deno.test("encodeConfChange() refuses more than the limits", () => {
  const many = Array.from({ length: CHANGES_MAX }, () => ADD_3);
  const context = new Uint8Array(CHANGE_CONTEXT_BYTES_MAX);
  const largest = make(many, { context });
  const bytes = encodeConfChange(largest);
  assert.deepEqual(decodeConfChange(ENTRY_CONF_CHANGE_V2, bytes), largest);
  assert.throws(
    () => encodeConfChange(make([...many, ADD_3], {})),
    InvariantError,
  );
  const longer = new Uint8Array(CHANGE_CONTEXT_BYTES_MAX + 1);
  assert.throws(
    () => encodeConfChange(make([], { context: longer })),
    InvariantError,
  );
});

Deno.test("decodeConfChange() refuses what was not encoded", () => {
  const one = encodeConfChange(make([ADD_3], {}));
  const many = new Uint8Array(3 + 9 * (CHANGES_MAX + 1));
  many.set([1, 0, CHANGES_MAX + 1]);
  const cases: [string, Uint8Array][] = [
    ["another format", patch(one, 0, 2)],
    ["no transition", one.subarray(0, 1)],
    ["no count", one.subarray(0, 2)],
    ["an unknown transition", patch(one, 1, 3)],
    ["a step that is cut off", one.subarray(0, one.length - 1)],
    ["an unknown type of step", patch(one, 3, 4)],
    ["an id above 2^53", patch(one, 5, 0xff)],
    ["too many steps", many],
    ["a longer form of no bytes", new Uint8Array([1, 0, 0])],
    [
      "a context that is too long",
      concatBytes(one, new Uint8Array(CHANGE_CONTEXT_BYTES_MAX + 1)),
    ],
  ];
  for (const [what, bytes] of cases) {
    assert.throws(
      () => decodeConfChange(ENTRY_CONF_CHANGE_V2, bytes),
      ConfChangeMalformedError,
      what,
    );
  }
});

Deno.test("decodeConfChange() holds the first type to one step", () => {
  const refused = [
    LEAVE_JOINT,
    make([ADD_3, REMOVE_1], {}),
    make([ADD_3], { transition: TRANSITION_IMPLICIT }),
  ];
  for (const change of refused) {
    const bytes = encodeConfChange(change);
    assert.throws(
      () => decodeConfChange(ENTRY_CONF_CHANGE_V1, bytes),
      ConfChangeMalformedError,
    );
  }
  const single = make([ADD_3], { context: utf8("x") });
  const bytes = encodeConfChange(single);
  assert.deepEqual(decodeConfChange(ENTRY_CONF_CHANGE_V1, bytes), single);
});

Deno.test("describeChanges() has a letter for each type", () => {
  const changes = [
    ADD_3,
    REMOVE_1,
    { type: CHANGE_UPDATE, id: 4 },
    { type: CHANGE_ADD_LEARNER, id: 12 },
  ] as const;
  assert.equal(describeChanges(changes), "v3 r1 u4 l12");
  assert.equal(describeChanges([]), "");
});

Deno.test("describeConfChange() names all parts", () => {
  const change = make([ADD_3, REMOVE_1], {
    transition: TRANSITION_EXPLICIT,
    context: utf8("foo"),
  });
  assert.equal(
    describeConfChange(change),
    "transition:ConfChangeTransitionJointExplicit " +
      "changes:{type:ConfChangeAddNode node_id:3} " +
      'changes:{type:ConfChangeRemoveNode node_id:1} context:"foo"',
  );
});

function make(
  changes: readonly SingleChange[],
  rest: Partial<Omit<ConfChange, "changes">>,
): ConfChange {
  return {
    transition: TRANSITION_AUTO,
    changes,
    context: new Uint8Array(),
    ...rest,
  };
}

function patch(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const patched = new Uint8Array(bytes);
  patched[at] = value;
  return patched;
}
