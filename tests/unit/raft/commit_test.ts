import { strict as assert } from "node:assert";
import { advanceCommit } from "../../../src/raft/commit.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { MSG_APP } from "../../../src/raft/message.ts";
import { becomeCandidate, becomeLeader } from "../../../src/raft/roles.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import type { ConfState } from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";
import { entryOf, Member, ofType } from "./network.ts";

/** A leader in term 2 with old entries of term 1, then its own. */
function leaderOf(config: Partial<ConfState>, matches: number[]): RaftState {
  const confState = { ...NO_CONFIG, ...config };
  const memory = MemoryStorage.from({ confState });
  memory.append([entryOf(1, 1), entryOf(2, 1)]);
  memory.hardState = { term: 1, vote: 0, commit: 0 };
  const { state } = new Member(1, { memory });
  becomeCandidate(state);
  becomeLeader(state);
  matches.forEach((match, at) => {
    const progress = state.membership.progress.get(at + 1);
    if (progress !== undefined) progress.match = match;
  });
  return state;
}

const TRIO = { voters: [1, 2, 3] };
const JOINT = { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] };
const LEARNED = { voters: [1, 2], learners: [3] };

const CASES: [
  name: string,
  config: Partial<ConfState>,
  matches: number[],
  commit: number,
][] = [
  ["a majority", TRIO, [3, 3, 0], 3],
  ["a majority without the leader", TRIO, [0, 3, 3], 3],
  ["no majority", TRIO, [3, 0, 0], 0],
  ["old entries on all", TRIO, [2, 2, 2], 0],
  ["old entries on a majority", TRIO, [3, 2, 2], 0],
  ["both halves", JOINT, [3, 3, 0, 3, 0], 3],
  ["one half", JOINT, [3, 3, 3, 0, 0], 0],
  ["learners", LEARNED, [3, 0, 3], 0],
  ["a leader outside the group", { voters: [2, 3, 4] }, [3, 3, 0, 0], 0],
];

for (const [name, config, matches, commit] of CASES) {
  Deno.test(`advanceCommit() with ${name} holding it commits ${commit}`, () => {
    const isOutside = !config.voters?.includes(1);
    const state = leaderOf(isOutside ? TRIO : config, matches);
    if (isOutside) {
      const members = new Member(9, { config }).state.membership;
      const { progress } = members;
      progress.forEach((record, id) => record.match = matches[id - 1] ?? 0);
      state.membership = members;
    }
    assert.equal(advanceCommit(state), commit > 0);
    assert.equal(state.entryLog.committed, commit);
    assert.equal(ofType(state.messages, MSG_APP).length > 0, commit > 0);
  });
}
