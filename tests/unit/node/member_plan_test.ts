import assert from "node:assert/strict";
import type { NodeError } from "../../../src/base/error.ts";
import { fullNodeId, node16Of } from "../../../src/base/identity.ts";
import {
  MEMBERS_MAX,
  NO_ENCRYPTION,
  writerId,
} from "../../../src/fsm/types.ts";
import {
  bestHeir,
  type ClusterFacts,
  type MemberFacts,
  planMemberChange,
  PROMOTE_LAG_MAX,
} from "../../../src/node/member_plan.ts";
import type { ChangeTerms, MemberRequest } from "../../../src/node/port.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { memberOf } from "../store/store_model.ts";

const DISK = new Uint8Array(16).fill(5);
const COMMIT = 5_000;
const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: "prod",
  accept: [],
};

function fact(id: number, given: Partial<MemberFacts> = {}): MemberFacts {
  return {
    ...memberOf(id, `n${id}:1`),
    diskId: DISK,
    isVoter: true,
    isActive: true,
    match: COMMIT,
    ...given,
  };
}

const LEARNER = { isVoter: false } as const;
const DOWN = { isActive: false } as const;

/** Voters 1 to 3, led by 1, and what `changed` says of further ones. */
function facts(
  members: readonly MemberFacts[] = [fact(1), fact(2), fact(3)],
  given: Partial<ClusterFacts> = {},
): ClusterFacts {
  const idsOf = (isVoter: boolean) =>
    members.filter((one) => one.isVoter === isVoter).map(({ id }) => id);
  return {
    clusterName: "prod",
    self: 1,
    term: 7,
    commit: COMMIT,
    confState: { ...NO_CONFIG, voters: idsOf(true), learners: idsOf(false) },
    members,
    writers: NO_ENCRYPTION.writers,
    ...given,
  };
}

const ADD: MemberRequest = {
  kind: "add",
  name: "n4",
  peerAddress: "n4:1",
  promote: true,
};
const promote = (name: string): MemberRequest => ({ kind: "promote", name });
const remove = (name: string): MemberRequest => ({ kind: "remove", name });
const transfer = (name: string): MemberRequest => ({
  kind: "transfer-leader",
  name,
});

/** Another name whose full node id ends in the same 16 bits. */
const NONCES_OF_N1 = "m24925";

const WAITING = { ...LEARNER, diskId: null, isActive: false, match: 0 };
const THREE = [fact(1), fact(2), fact(3)];

interface Row {
  readonly name: string;
  readonly request: MemberRequest;
  readonly members?: readonly MemberFacts[];
  readonly terms?: Partial<ChangeTerms>;
  /** Code of the refusal, or id of the member (0 none) and the steps. */
  readonly expected: string | readonly [id: number, ...steps: string[]];
  /** As it is already. */
  readonly isDone?: boolean;
}

const FULL = Array.from({ length: MEMBERS_MAX }, (_, i) => fact(i + 1));

const ROWS: Row[] = [
  // Add.
  {
    name: "add, to be promoted",
    request: ADD,
    expected: [
      0,
      'add "n4" at n4:1 as a learner',
      "make it a voter when it has caught up",
    ],
  },
  {
    name: "add for good as a learner",
    request: { ...ADD, promote: false },
    expected: [0, 'add "n4" at n4:1 as a learner'],
  },
  {
    name: "add where nobody announced itself",
    request: ADD,
    members: [],
    expected: "NODE_MEMBER_CHANGE_REFUSED",
  },
  {
    name: "add a name that is taken",
    request: { ...ADD, name: "n3" },
    expected: "NODE_MEMBER_EXISTS",
  },
  {
    name: "add a name with the nonces of a member",
    request: { ...ADD, name: NONCES_OF_N1 },
    expected: "NODE_ID_COLLISION",
  },
  {
    name: "add an address that is taken",
    request: { ...ADD, peerAddress: "n3:1" },
    expected: "NODE_MEMBER_EXISTS",
  },
  {
    name: "add again what was added",
    request: ADD,
    members: [...THREE, fact(4, { ...WAITING, promoteWhenCaughtUp: true })],
    expected: [4, `"n4" at ${ADD.peerAddress} is a learner already`],
    isDone: true,
  },
  {
    name: "add again with another wish",
    request: { ...ADD, promote: false },
    members: [...THREE, fact(4, { ...WAITING, promoteWhenCaughtUp: true })],
    expected: "NODE_MEMBER_EXISTS",
  },
  {
    name: "add again at another address",
    request: { ...ADD, peerAddress: "n5:1" },
    members: [...THREE, fact(4, { ...WAITING, promoteWhenCaughtUp: true })],
    expected: "NODE_MEMBER_EXISTS",
  },
  {
    name: "add again what has started",
    request: ADD,
    members: [...THREE, fact(4, { ...LEARNER, promoteWhenCaughtUp: true })],
    expected: [4, `"n4" at ${ADD.peerAddress} is a learner already`],
    isDone: true,
  },
  {
    name: "add the last that fits",
    request: { ...ADD, name: "new", peerAddress: "new:1" },
    members: FULL.slice(1),
    expected: [
      0,
      'add "new" at new:1 as a learner',
      "make it a voter when it has caught up",
    ],
  },
  {
    name: "add one too many",
    request: { ...ADD, name: "new", peerAddress: "new:1" },
    members: FULL,
    expected: "NODE_MEMBER_CHANGE_REFUSED",
  },
  // Promote.
  {
    name: "promote a learner",
    request: promote("n4"),
    members: [...THREE, fact(4, LEARNER)],
    expected: [4, 'make "n4" a voter: 4 voters then'],
  },
  {
    name: "promote at the largest lag",
    request: promote("n4"),
    members: [
      ...THREE,
      fact(4, { ...LEARNER, match: COMMIT - PROMOTE_LAG_MAX }),
    ],
    expected: [4, 'make "n4" a voter: 4 voters then'],
  },
  {
    name: "promote one that is ahead of the commit",
    request: promote("n4"),
    members: [...THREE, fact(4, { ...LEARNER, match: COMMIT + 9 })],
    expected: [4, 'make "n4" a voter: 4 voters then'],
  },
  {
    name: "promote beyond the largest lag",
    request: promote("n4"),
    members: [
      ...THREE,
      fact(4, { ...LEARNER, match: COMMIT - PROMOTE_LAG_MAX - 1 }),
    ],
    expected: "NODE_MEMBER_BEHIND",
  },
  {
    name: "promote one that is down",
    request: promote("n4"),
    members: [...THREE, fact(4, { ...LEARNER, ...DOWN })],
    expected: "NODE_MEMBER_BEHIND",
  },
  {
    name: "promote one that never started",
    request: promote("n4"),
    members: [...THREE, fact(4, { ...LEARNER, diskId: null })],
    expected: "NODE_MEMBER_BEHIND",
  },
  {
    name: "promote a voter",
    request: promote("n2"),
    expected: [2, '"n2" is a voter already'],
    isDone: true,
  },
  {
    name: "promote nobody",
    request: promote("n9"),
    expected: "NODE_MEMBER_UNKNOWN",
  },
  {
    name: "promote while too few voters are up",
    request: promote("n4"),
    members: [fact(1), fact(2, DOWN), fact(3, DOWN), fact(4, LEARNER)],
    expected: "NODE_QUORUM_AT_RISK",
  },
  {
    name: "promote at that risk",
    request: promote("n4"),
    members: [fact(1), fact(2, DOWN), fact(3, DOWN), fact(4, LEARNER)],
    terms: { accept: ["quorum-loss"] },
    expected: [4, 'make "n4" a voter: 4 voters then'],
  },
  {
    name: "promote with just enough voters up",
    request: promote("n4"),
    members: [fact(1), fact(2), fact(3, DOWN), fact(4, LEARNER)],
    expected: [4, 'make "n4" a voter: 4 voters then'],
  },
  // Remove.
  {
    name: "remove a voter",
    request: remove("n3"),
    expected: [3, 'remove "n3" for ever: 2 voters then'],
  },
  {
    name: "remove the leader",
    request: remove("n1"),
    expected: [
      1,
      'hand the leadership over, as "n1" leads',
      'remove "n1" for ever: 2 voters then',
    ],
  },
  {
    name: "remove a learner while voters are down",
    request: remove("n4"),
    members: [fact(1), fact(2, DOWN), fact(3, DOWN), fact(4, LEARNER)],
    expected: [4, 'remove "n4" for ever: 3 voters then'],
  },
  {
    name: "remove one that is down",
    request: remove("n3"),
    members: [fact(1), fact(2), fact(3, DOWN)],
    expected: [3, 'remove "n3" for ever: 2 voters then'],
  },
  {
    name: "remove one of two that are up",
    request: remove("n2"),
    members: [fact(1), fact(2), fact(3, DOWN)],
    expected: "NODE_QUORUM_AT_RISK",
  },
  {
    name: "remove at another risk",
    request: remove("n2"),
    members: [fact(1), fact(2), fact(3, DOWN)],
    terms: { accept: ["data-loss"] },
    expected: "NODE_QUORUM_AT_RISK",
  },
  {
    name: "remove at that risk",
    request: remove("n2"),
    members: [fact(1), fact(2), fact(3, DOWN)],
    terms: { accept: ["data-loss", "quorum-loss"] },
    expected: [2, 'remove "n2" for ever: 2 voters then'],
  },
  {
    name: "remove the only voter",
    request: remove("n1"),
    members: [fact(1), fact(2, LEARNER)],
    terms: { accept: ["quorum-loss"] },
    expected: "NODE_MEMBER_CHANGE_REFUSED",
  },
  {
    name: "remove nobody",
    request: remove("n9"),
    expected: "NODE_MEMBER_UNKNOWN",
  },
  {
    name: "remove unconfirmed",
    request: remove("n3"),
    terms: { confirm: "" },
    expected: "NODE_CONFIRMATION_WRONG",
  },
  {
    name: "remove confirmed for another cluster",
    request: remove("n3"),
    terms: { confirm: "Prod" },
    expected: "NODE_CONFIRMATION_WRONG",
  },
  {
    name: "remove unconfirmed, only to look",
    request: remove("n3"),
    terms: { confirm: "", dryRun: true },
    expected: [3, 'remove "n3" for ever: 2 voters then'],
  },
  {
    name: "remove at risk, only to look",
    request: remove("n2"),
    members: [fact(1), fact(2), fact(3, DOWN)],
    terms: { dryRun: true },
    expected: "NODE_QUORUM_AT_RISK",
  },
  // Transfer.
  {
    name: "transfer to one that is named",
    request: transfer("n2"),
    expected: [2, 'hand the leadership to "n2"'],
  },
  {
    name: "transfer to the best",
    request: transfer(""),
    members: [fact(1), fact(2, { match: 9 }), fact(3, { match: 10 })],
    expected: [3, 'hand the leadership to "n3"'],
  },
  {
    name: "transfer to the leader",
    request: transfer("n1"),
    expected: [1, '"n1" leads already'],
    isDone: true,
  },
  {
    name: "transfer to a learner",
    request: transfer("n4"),
    members: [...THREE, fact(4, LEARNER)],
    expected: "NODE_MEMBER_CHANGE_REFUSED",
  },
  {
    name: "transfer where no one else is up",
    request: transfer(""),
    members: [fact(1), fact(2, DOWN), fact(4, LEARNER)],
    expected: "NODE_MEMBER_CHANGE_REFUSED",
  },
  {
    name: "transfer to nobody",
    request: transfer("n9"),
    expected: "NODE_MEMBER_UNKNOWN",
  },
];

for (const { name, request, members, terms, expected, isDone } of ROWS) {
  const plan = () =>
    planMemberChange(request, { ...TERMS, ...terms }, facts(members));
  const end = typeof expected === "string" ? `: ${expected}` : "";
  Deno.test(`planMemberChange() of ${name}${end}`, () => {
    if (typeof expected === "string") {
      assert.throws(plan, (error: NodeError) => error.code === expected);
      return;
    }
    const { plan: made, member, isNeeded } = plan();
    assert.deepEqual([member?.id ?? 0, ...made.steps], expected);
    assert.equal(isNeeded, isDone !== true);
    assert.match(made.hash, /^[0-9a-f]{16}$/);
  });
}

function hashOf(request: MemberRequest, given: ClusterFacts): string {
  return planMemberChange(request, { ...TERMS, dryRun: true }, given).plan.hash;
}

const [N1, N2, N3] = THREE as [MemberFacts, MemberFacts, MemberFacts];
const MOVED = facts([N1, N2, { ...N3, peerAddress: "n3:2" }]);

const OTHER_PLANS: [
  what: string,
  request: MemberRequest,
  facts: ClusterFacts,
][] = [
  ["term", remove("n3"), facts(THREE, { term: 8 })],
  ["leader", remove("n3"), facts(THREE, { self: 2 })],
  ["cluster", remove("n3"), facts(THREE, { clusterName: "test" })],
  ["member's address", remove("n3"), MOVED],
  ["member more", remove("n3"), facts([...THREE, fact(4, LEARNER)])],
  ["role", remove("n3"), facts([N1, N2, { ...N3, ...LEARNER }])],
  ["member's name", remove("n3"), facts([N1, { ...N2, name: "x" }, N3])],
  ["request", remove("n2"), facts()],
  ["kind of request", transfer("n3"), facts()],
];

for (const [what, request, given] of OTHER_PLANS) {
  Deno.test(`planMemberChange() makes another plan for another ${what}`, () => {
    const old = hashOf(remove("n3"), facts());
    const current = hashOf(request, given);
    assert.notEqual(current, old);
    assert.throws(
      () => planMemberChange(request, { ...TERMS, planHash: old }, given),
      { code: "NODE_PLAN_STALE", given: old, current },
    );
  });
}

Deno.test("planMemberChange() makes the same plan whatever members are at", () => {
  const old = hashOf(remove("n3"), facts());
  const later = facts([N1, { ...N2, match: 9 }, { ...N3, ...DOWN }], {
    commit: COMMIT + 900,
  });
  assert.equal(hashOf(remove("n3"), later), old);
  const announced = { ...N2, clientAddress: "c:1", protocolVersion: 2 };
  assert.equal(hashOf(remove("n3"), facts([N1, announced, N3])), old);
  const { isNeeded } = planMemberChange(
    remove("n3"),
    { ...TERMS, planHash: old },
    later,
  );
  assert.ok(isNeeded);
});

Deno.test("planMemberChange() looks at the plan before the confirmation", () => {
  const terms = { ...TERMS, confirm: "", planHash: "0".repeat(16) };
  assert.throws(() => planMemberChange(remove("n3"), terms, facts()), {
    code: "NODE_PLAN_STALE",
  });
});

const HEIRS: [members: MemberFacts[], heir: number | null][] = [
  [[N1, N2, N3], 2],
  [[N1, { ...N2, match: 9 }, N3], 3],
  [[N1, { ...N2, ...DOWN }, { ...N3, match: 0 }], 3],
  [[N1, { ...N2, ...LEARNER }], null],
  [[N1, { ...N2, ...DOWN }], null],
  [[N1], null],
  [[], null],
];

for (const [members, heir] of HEIRS) {
  Deno.test(`bestHeir() of ${members.length} members is ${heir}`, () => {
    assert.equal(bestHeir(facts(members))?.id ?? null, heir);
  });
}

Deno.test("planMemberChange() keeps the nonces of who was a member", () => {
  const gone = fullNodeId("n1");
  const row = {
    keyId: 77,
    node16: node16Of(gone),
    fullNodeId: gone,
    firstEpoch: 1,
    lastEpoch: 1,
  };
  const members = [fact(2), fact(3)];
  const writers = new Map([[writerId(row.keyId, row.node16), row]]);
  const plan = (name: string) =>
    planMemberChange({ ...ADD, name }, TERMS, facts(members, { writers }));
  assert.throws(
    () => plan(NONCES_OF_N1),
    (error: NodeError) => error.code === "NODE_ID_COLLISION",
  );
  assert.ok(plan("n1").isNeeded, "it may come back itself");
});
