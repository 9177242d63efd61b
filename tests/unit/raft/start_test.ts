import { strict as assert } from "node:assert";
import { RaftStateMalformedError } from "../../../src/raft/errors.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { type RaftOptions, raftOptions } from "../../../src/raft/options.ts";
import { startRaft } from "../../../src/raft/start.ts";
import type { HardState } from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";
import { entryOf } from "./network.ts";

const TRIO = { ...NO_CONFIG, voters: [1, 2, 3] };

function start(
  hardState: HardState,
  options: Partial<RaftOptions> = {},
  terms: readonly number[] = [],
) {
  const storage = MemoryStorage.from({ index: 5, term: 2, confState: TRIO });
  storage.append(terms.map((term, at) => entryOf(at + 6, term)));
  storage.hardState = hardState;
  const base = { id: 1, storage, randomTicks: () => 0 };
  return startRaft(raftOptions({ ...base, ...options }));
}

const COMMITS: [name: string, commit: number, applied: number, number][] = [
  ["as stored", 6, 5, 6],
  ["behind the checkpoint", 3, 5, 5],
  ["behind the state machine", 5, 7, 7],
  ["of a new member", 0, 0, 5],
];

for (const [name, commit, applied, expected] of COMMITS) {
  Deno.test(`startRaft() recovers a commit index ${name}`, () => {
    const state = start({ term: 3, vote: 0, commit }, { applied }, [2, 3]);
    assert.equal(state.entryLog.committed, expected);
    assert.equal(state.entryLog.applied, Math.max(applied, 5));
  });
}

const REFUSED: [name: string, HardState, applied: number][] = [
  ["a commit index beyond the log", { term: 3, vote: 0, commit: 8 }, 5],
  ["a state machine beyond the log", { term: 3, vote: 0, commit: 6 }, 8],
  ["a state machine before the log", { term: 3, vote: 0, commit: 6 }, 4],
  ["a term below the log's", { term: 2, vote: 0, commit: 6 }, 5],
];

for (const [name, hardState, applied] of REFUSED) {
  Deno.test(`startRaft() refuses ${name}`, () => {
    assert.throws(
      () => start(hardState, { applied }, [2, 3]),
      RaftStateMalformedError,
    );
  });
}

Deno.test("startRaft() follows nobody, at the stored term and vote", () => {
  const state = start({ term: 4, vote: 2, commit: 5 });
  assert.deepEqual(
    [state.role, state.lead, state.term, state.vote],
    ["follower", 0, 4, 2],
  );
});

Deno.test("startRaft() takes the membership of the state machine, not the log's", () => {
  const confState = { ...NO_CONFIG, voters: [1, 2], learners: [7] };
  const options = { applied: 6, confState };
  const state = start({ term: 3, vote: 0, commit: 6 }, options, [2]);
  assert.deepEqual(state.membership.config, confState);
  assert.equal(state.confIndex, 6);
});

Deno.test("startRaft() takes the start of a founded group with no term yet", () => {
  const state = start({ term: 0, vote: 0, commit: 0 });
  assert.deepEqual([state.term, state.entryLog.committed], [0, 5]);
});

Deno.test("startRaft() takes an empty log of a member that will join", () => {
  const storage = new MemoryStorage();
  const options = raftOptions({ id: 9, storage, randomTicks: () => 0 });
  const state = startRaft(options);
  assert.deepEqual(state.membership.config, NO_CONFIG);
  assert.equal(state.isPromotable(), false);
});
