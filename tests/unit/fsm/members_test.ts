import { NO_ENCRYPTION, NO_ROLLOUT } from "../../../src/fsm/types.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex } from "../../../src/base/bytes.ts";
import { applyPayload } from "../../../src/fsm/apply.ts";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import {
  decodeMemberContext,
  encodeMemberContext,
  memberAnnounced,
  membersAfter,
} from "../../../src/fsm/members.ts";
import { RecordOverlay } from "../../../src/fsm/record_view.ts";
import {
  type FsmState,
  type Member,
  MEMBERS_MAX,
} from "../../../src/fsm/types.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  encodeConfChange,
  LEAVE_JOINT,
  type SingleChange,
  type Transition,
} from "../../../src/raft/conf_change.ts";
import { confStateAfter } from "../../../src/raft/conf_switch.ts";
import {
  type ConfState,
  ENTRY_CONF_CHANGE_V2,
} from "../../../src/raft/types.ts";
import { announcement, memberList } from "./arbitraries.ts";

const DISK = new Uint8Array(16).fill(9);
const NO_CONTEXT = new Uint8Array(0);

function memberOf(id: number, change: Partial<Member> = {}): Member {
  return {
    id,
    name: `n${id}`,
    peerAddress: `n${id}:4701`,
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
    ...change,
  };
}

function stateOf(...members: readonly Member[]): FsmState {
  return {
    clockMs: 0,
    clusterId: new Uint8Array(16).fill(1),
    clusterName: "c",
    databases: new Map(),
    encryption: NO_ENCRYPTION,
    rollout: NO_ROLLOUT,
    members: new Map(members.map((member) => [member.id, member])),
  };
}

function unnamed(id: number, name = `id-${id}`): Member {
  return memberOf(id, { name, peerAddress: "" });
}

interface Change {
  readonly what: string;
  readonly members: readonly Member[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly context?: readonly Member[];
  readonly expected: readonly Member[];
}

const [N1, N2, N3] = [memberOf(1), memberOf(2), memberOf(3)];
const LEARNER = memberOf(9, { promoteWhenCaughtUp: true });
const CHANGES: readonly Change[] = [
  {
    what: "adds a member from the context, flag and all",
    ...{ members: [N1], before: [1], after: [1, 9], context: [LEARNER] },
    expected: [N1, LEARNER],
  },
  {
    what: "keeps members in the order of their ids",
    ...{ members: [N1, N3], before: [1, 3], after: [3, 2, 1], context: [N2] },
    expected: [N1, N2, N3],
  },
  {
    what: "drops a member",
    ...{ members: [N1, N2, N3], before: [1, 2, 3], after: [1, 3] },
    expected: [N1, N3],
  },
  {
    what: "swaps one for another, which may take its name",
    ...{ members: [N1, N2], before: [1, 2], after: [1, 7] },
    context: [memberOf(7, { name: "n2" })],
    expected: [N1, memberOf(7, { name: "n2" })],
  },
  {
    what: "names a member without context by its id",
    ...{ members: [N1], before: [1], after: [1, 12] },
    expected: [N1, unnamed(12)],
  },
  {
    what: "gives a taken name to nobody else",
    ...{ members: [N1], before: [1], after: [1, 2] },
    context: [memberOf(2, { name: "n1" })],
    expected: [N1, memberOf(2, { name: "id-2" })],
  },
  {
    what: "finds a free name when the one of its id is taken too",
    ...{ before: [1, 3], after: [1, 2, 3] },
    members: [unnamed(1, "id-2"), unnamed(3, "id-2-")],
    expected: [unnamed(1, "id-2"), unnamed(2, "id-2--"), unnamed(3, "id-2-")],
  },
  {
    what: "leaves a member alone that is added again",
    ...{ members: [N1, N2], before: [1], after: [1, 2] },
    context: [memberOf(2, { peerAddress: "other:1" })],
    expected: [N1, N2],
  },
  {
    what: "looks nobody up who was there before",
    ...{ members: [N1], before: [1, 2], after: [1, 2], context: [N2] },
    expected: [N1],
  },
];

for (const { what, members, before, after, context, expected } of CHANGES) {
  Deno.test(`membersAfter() ${what}`, () => {
    const state = stateOf(...members);
    const bytes = encodeMemberContext(context ?? []);
    const next = membersAfter(state, { before, after, context: bytes });
    assert.deepEqual([...next.members], expected.map((one) => [one.id, one]));
    assert.deepEqual({ ...next, members: null }, { ...state, members: null });
    assert.deepEqual([...state.members.values()], members, "left as it was");
  });
}

Deno.test("membersAfter() gives the very state when all members stay", () => {
  const state = stateOf(N1, N2);
  for (const context of [NO_CONTEXT, encodeMemberContext([N3])]) {
    const change = { before: [1, 2, 2], after: [2, 1], context };
    assert.equal(membersAfter(state, change), state);
  }
});

Deno.test("membersAfter() leaves out members beyond MEMBERS_MAX", () => {
  const before = Array.from({ length: MEMBERS_MAX - 1 }, (_, i) => i + 1);
  const state = stateOf(...before.map((id) => memberOf(id)));
  const after = [...before, 99, 50];
  const context = encodeMemberContext([memberOf(50), memberOf(99)]);
  const next = membersAfter(state, { before, after, context });
  assert.deepEqual([...next.members.keys()], [...before, 50]);
  const last = { before: after, after: [...after, 100], context: NO_CONTEXT };
  assert.equal(membersAfter(next, last), next);
});

Deno.test("membersAfter() refuses a context that is no list of members", () => {
  const change = { before: [], after: [], context: Uint8Array.of(1) };
  assert.throws(() => membersAfter(stateOf(), change), CommandMalformedError);
});

Deno.test("decodeMemberContext() gives back what was encoded", () => {
  fc.assert(fc.property(memberList, (members) => {
    assert.deepEqual(
      decodeMemberContext(encodeMemberContext(members)),
      members,
    );
  }));
  assert.equal(encodeMemberContext([]).length, 0);
});

Deno.test("encodeMemberContext() asserts the rules of a list", () => {
  assert.throws(() => encodeMemberContext([N2, N1]), InvariantError);
});

const REFUSED: [what: string, hex: string][] = [
  ["what is not protobuf", "0aff"],
  ["an unknown field", "0a06080112026e311001"],
  ["a member without an id", "0a0412026e31"],
  ["a default written out", "0a08080112026e313800"],
  ["ids out of order", "0a06080212026e320a06080112026e31"],
  ["more bytes than members can have", "0a00".repeat(16_193)],
];
for (const [what, hex] of REFUSED) {
  Deno.test(`decodeMemberContext() refuses ${what}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodeMemberContext(bytes), CommandMalformedError);
  });
}

const SAID = memberOf(2, {
  peerAddress: "new:1",
  clientAddress: "new:2",
  adminAddress: "new:3",
  diskId: DISK,
  protocolVersion: 3,
});

Deno.test("memberAnnounced() takes addresses, disk and version", () => {
  const known = memberOf(2, { promoteWhenCaughtUp: true });
  const state = stateOf(N1, known, N3);
  const next = memberAnnounced(state, SAID);
  const expected = { ...SAID, promoteWhenCaughtUp: true };
  assert.deepEqual(next, stateOf(N1, expected, N3));
  assert.equal(state.members.get(2), known, "left as it was");
});

const NEWS: [what: string, change: Partial<Member>][] = [
  ["a peer address", { peerAddress: "other:1" }],
  ["a client address", { clientAddress: "other:1" }],
  ["an admin address", { adminAddress: "other:1" }],
  ["a lower version", { protocolVersion: 1 }],
];
for (const [what, change] of NEWS) {
  Deno.test(`memberAnnounced() takes ${what} from the same disk`, () => {
    const said = { ...SAID, ...change, diskId: DISK.slice() };
    const next = memberAnnounced(stateOf(SAID), said);
    assert.deepEqual(next, stateOf(said));
  });
}

Deno.test("memberAnnounced() gives the very state for what is known", () => {
  const state = stateOf({ ...SAID, promoteWhenCaughtUp: true });
  const again = { ...SAID, diskId: DISK.slice() };
  assert.equal(memberAnnounced(state, again), state);
});

Deno.test("memberAnnounced() adds the lone founder of an older version", () => {
  const founder = { ...SAID, id: 1, name: "any" };
  assert.deepEqual(memberAnnounced(stateOf(), founder), stateOf(founder));
});

const NOT_TAKEN: [what: string, state: FsmState, reason: string][] = [
  [
    "before the cluster is founded",
    { ...stateOf(), clusterId: null },
    "The cluster has not been founded",
  ],
  ["of another id", stateOf(N1, N3), "No member has raft id 2"],
  ["of id 2 of nobody", stateOf(), "No member has raft id 2"],
  [
    "of another name",
    stateOf(memberOf(2, { name: "old" })),
    'Member 2 is "old", not "n2"',
  ],
  [
    "of another disk",
    stateOf(memberOf(2, { diskId: new Uint8Array(16) })),
    'Member "n2" is known with another disk',
  ],
];
for (const [what, state, reason] of NOT_TAKEN) {
  Deno.test(`memberAnnounced() refuses an announcement ${what}`, () => {
    assert.equal(memberAnnounced(state, SAID), reason);
    const payload = { kind: "announcement" as const, member: SAID };
    const applied = applyPayload(state, new RecordOverlay(), 1, payload);
    assert.equal(applied.state, state);
    assert.deepEqual(applied.replies, [{ kind: "rejected", reason }]);
  });
}

Deno.test("memberAnnounced() refuses a founder once there are members", () => {
  const founder = { ...SAID, id: 1 };
  const reason = "No member has raft id 1";
  assert.equal(memberAnnounced(stateOf(N2), founder), reason);
});

const FOUNDED: ConfState = {
  voters: [1, 2, 3],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

function idsOf(conf: ConfState): readonly number[] {
  const { voters, votersOutgoing, learners, learnersNext } = conf;
  return [...voters, ...votersOutgoing, ...learners, ...learnersNext];
}

const confSteps = fc.array(
  fc.record({
    type: fc.constantFrom<SingleChange["type"]>(
      CHANGE_ADD_VOTER,
      CHANGE_ADD_LEARNER,
      CHANGE_REMOVE,
    ),
    id: fc.integer({ min: 1, max: 8 }),
  }),
  { maxLength: 3 },
);
const anyEvent = fc.oneof(
  announcement,
  fc.tuple(
    confSteps,
    memberList,
    fc.constantFrom<Transition>(0, 1, 2),
  ),
);

Deno.test("members are those of the conf state after any run of changes", () => {
  let moved = 0;
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 12 }), (events) => {
      let state = stateOf(N1, N2, N3);
      let conf = FOUNDED;
      for (const event of events) {
        if ("id" in event) {
          const next = memberAnnounced(state, event);
          if (typeof next !== "string") state = next;
          continue;
        }
        const [changes, members, transition] = event;
        const context = encodeMemberContext(members);
        const change = changes.length === 0
          ? LEAVE_JOINT
          : { transition, changes, context };
        const after = confStateAfter(conf, {
          ...{ type: ENTRY_CONF_CHANGE_V2, term: 1, index: 1 },
          data: encodeConfChange(change),
        });
        const given = { before: idsOf(conf), after: idsOf(after) };
        state = membersAfter(state, { ...given, context: change.context });
        if (after !== conf) moved += 1;
        conf = after;
        const ids = [...new Set(idsOf(conf))].sort((a, b) => a - b);
        assert.deepEqual([...state.members.keys()], ids);
        const names = [...state.members.values()].map(({ name }) => name);
        assert.equal(new Set(names).size, names.length, "no name twice");
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(moved > 1_000, `only ${moved} changes`);
});
