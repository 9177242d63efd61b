import { strict as assert } from "node:assert";
import { EMPTY_BYTES } from "../../../src/base/bytes.ts";
import {
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  type ConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
} from "../../../src/raft/conf_change.ts";
import { MSG_APP, MSG_PROP } from "../../../src/raft/message.ts";
import { proposeEntries, refusalOf } from "../../../src/raft/proposal.ts";
import { becomeCandidate, becomeLeader } from "../../../src/raft/roles.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import { ENTRY_CONF_CHANGE_V2 } from "../../../src/raft/types.ts";
import {
  entryOf,
  Member,
  type MemberOptions,
  messageOf,
  ofType,
} from "./network.ts";

const grow: ConfChange = {
  transition: TRANSITION_AUTO,
  changes: [{ type: CHANGE_ADD_VOTER, id: 9 }],
  context: EMPTY_BYTES,
};

function lead(options: MemberOptions = {}): RaftState {
  const { state } = new Member(1, { config: { voters: [1, 2] }, ...options });
  becomeCandidate(state);
  becomeLeader(state);
  state.messages = [];
  return state;
}

function changeEntry(change: ConfChange) {
  const data = encodeConfChange(change);
  return { type: ENTRY_CONF_CHANGE_V2, term: 0, index: 0, data } as const;
}

Deno.test("proposeEntries() appends and sends on", () => {
  const state = lead();
  const progress = state.membership.progress.get(2);
  progress?.becomeReplicate();
  assert.equal(proposeEntries(state, [entryOf(0, 0, "a")]), true);
  assert.equal(state.entryLog.lastIndex(), 2);
  assert.equal(ofType(state.messages, MSG_APP).length, 1);
});

Deno.test("proposeEntries() takes nothing without a record of itself", () => {
  const state = lead();
  const { config, progress } = state.membership;
  const rest = new Map([...progress].filter(([id]) => id !== 1));
  state.membership = { config, progress: rest };
  assert.equal(proposeEntries(state, [entryOf(0, 0)]), false);
});

Deno.test("proposeEntries() takes nothing of a batch with a malformed change", () => {
  const state = lead();
  const bad = { ...changeEntry(grow), data: new Uint8Array([77]) };
  assert.equal(proposeEntries(state, [entryOf(0, 0), bad]), false);
  assert.equal(state.entryLog.lastIndex(), 1);
});

Deno.test("proposeEntries() remembers where the change is in its batch", () => {
  const state = lead();
  const batch = [entryOf(0, 0, "a"), changeEntry(grow), entryOf(0, 0, "b")];
  assert.equal(proposeEntries(state, batch), true);
  assert.equal(state.pendingConfIndex, 3);
});

const REFUSALS: [name: string, change: ConfChange, RegExp | null][] = [
  ["one more voter", grow, null],
  ["leaving what is not joint", LEAVE_JOINT, /not in joint state/],
  [
    "entering a joint state for nothing",
    { ...LEAVE_JOINT, transition: TRANSITION_EXPLICIT },
    /empty conf change/,
  ],
  [
    "removing everyone",
    {
      ...grow,
      changes: [1, 2].map((id) => ({ type: CHANGE_REMOVE, id })),
    },
    /removed all voters/,
  ],
];

for (const [name, change, reason] of REFUSALS) {
  Deno.test(`refusalOf() ${name}: ${reason}`, () => {
    const refusal = refusalOf(lead(), change);
    if (reason === null) assert.equal(refusal, null);
    else assert.match(refusal ?? "", reason);
  });
}

Deno.test("refusalOf() waits for the change before to be applied", () => {
  const state = lead();
  state.pendingConfIndex = 1;
  assert.match(refusalOf(state, grow) ?? "", /index 1 \(applied to 0\)/);
  const careless = lead({ vetConfChanges: false });
  careless.pendingConfIndex = 1;
  assert.equal(refusalOf(careless, grow), null);
});

Deno.test("candidates drop proposals, before and after they win", () => {
  const member = new Member(1, { config: { voters: [1, 2] } });
  member.raw.campaign();
  assert.equal(member.propose("a"), false);
  const entries = [entryOf(0, 0, "a")];
  const message = messageOf(MSG_PROP, { to: 1, from: 2, entries });
  assert.equal(member.raw.step(message), "proposal-dropped");
});
