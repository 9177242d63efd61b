import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
  jointIndex,
  jointVote,
  majorityIndex,
  majorityOf,
  majorityVote,
} from "../../../src/raft/quorum.ts";
import { naiveIndex } from "../../scenario/quorum_harness.ts";

Deno.test("majorityOf() is more than half", () => {
  const cases = [[1, 1], [2, 2], [3, 2], [4, 3], [5, 3], [6, 4], [7, 4]];
  for (const [count = 0, want = 0] of cases) {
    assert.equal(majorityOf(count), want, `${count} members`);
  }
});

Deno.test("majorityIndex() is the median, low for even sizes", () => {
  const cases = [
    { acked: [7], want: 7 },
    { acked: [0], want: 0 },
    { acked: [5, 9], want: 5 },
    { acked: [1, 2, 3], want: 2 },
    { acked: [10, 9, 100], want: 10 },
    { acked: [4, 1, 3, 2], want: 2 },
    { acked: [1, 5, 2, 4, 3], want: 3 },
  ];
  for (const { acked, want } of cases) {
    const ids = acked.map((_, nth) => nth + 1);
    const ackedOf = (id: number) => acked[id - 1] ?? 0;
    assert.equal(majorityIndex(ids, ackedOf), want, acked.join(" "));
  }
});

Deno.test("majorityIndex() counts who never acknowledged as 0", () => {
  const acked = new Map([[1, 12]]);
  const ackedOf = (id: number) => acked.get(id) ?? 0;
  assert.equal(majorityIndex([1, 2], ackedOf), 0);
  assert.equal(majorityIndex([1, 2, 3], ackedOf), 0);
});

Deno.test("majorityIndex() of nobody holds nothing back", () => {
  assert.equal(majorityIndex([], () => 0), Infinity);
});

// A leader that was removed still has entries; they must not commit by it.
Deno.test("majorityIndex() ignores acknowledgements of outsiders", () => {
  const acked = new Map([[1, 90], [2, 3], [3, 4]]);
  assert.equal(majorityIndex([2, 3], (id) => acked.get(id) ?? 0), 3);
});

Deno.test("jointIndex() is the lower half", () => {
  const acked = new Map([[1, 10], [2, 20], [3, 30], [4, 5], [5, 6], [6, 7]]);
  const ackedOf = (id: number) => acked.get(id) ?? 0;
  const cases = [
    { voters: [1, 2, 3], votersOutgoing: [], want: 20 },
    { voters: [1, 2, 3], votersOutgoing: [4, 5, 6], want: 6 },
    { voters: [4, 5, 6], votersOutgoing: [1, 2, 3], want: 6 },
    { voters: [1, 2, 3], votersOutgoing: [3], want: 20 },
  ];
  for (const { want, ...halves } of cases) {
    assert.equal(jointIndex(halves, ackedOf), want, JSON.stringify(halves));
  }
});

Deno.test("majorityVote() decides as soon as it can", () => {
  const cases = [
    { votes: "", want: "won" },
    { votes: "y", want: "won" },
    { votes: "n", want: "lost" },
    { votes: "_", want: "pending" },
    { votes: "y_", want: "pending" },
    { votes: "yn", want: "lost" },
    { votes: "yy_", want: "won" },
    { votes: "yn_", want: "pending" },
    { votes: "nn_", want: "lost" },
    { votes: "yynn", want: "lost" },
    { votes: "yyn_", want: "pending" },
    { votes: "yyy_", want: "won" },
    { votes: "yynn_", want: "pending" },
    { votes: "yyynn", want: "won" },
  ];
  for (const { votes, want } of cases) {
    const ids = [...votes].map((_, nth) => nth + 1);
    assert.equal(majorityVote(ids, votesOf(votes)), want, votes);
  }
});

Deno.test("majorityVote() does not count votes of outsiders", () => {
  const votes = new Map([[1, true], [8, true], [9, true]]);
  assert.equal(majorityVote([1, 2, 3], votes), "pending");
});

Deno.test("jointVote() needs both halves", () => {
  const cases = [
    { incoming: "y", outgoing: "y", want: "won" },
    { incoming: "y", outgoing: "_", want: "pending" },
    { incoming: "_", outgoing: "y", want: "pending" },
    { incoming: "y", outgoing: "n", want: "lost" },
    { incoming: "n", outgoing: "y", want: "lost" },
    { incoming: "n", outgoing: "_", want: "lost" },
    { incoming: "_", outgoing: "n", want: "lost" },
    { incoming: "y", outgoing: "", want: "won" },
    { incoming: "n", outgoing: "", want: "lost" },
  ];
  for (const { incoming, outgoing, want } of cases) {
    const halves = {
      voters: incoming === "" ? [] : [1],
      votersOutgoing: outgoing === "" ? [] : [2],
    };
    const votes = votesOf(`${incoming}${outgoing}`);
    assert.equal(jointVote(halves, votes), want, `${incoming}/${outgoing}`);
  }
});

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 });
const acks = fc.array(fc.integer({ min: 0, max: 12 }), {
  minLength: 10,
  maxLength: 10,
});

Deno.test("majorityIndex() agrees with counting every candidate", () => {
  fc.assert(fc.property(ids, acks, (voters, indexes) => {
    const acked = new Map(indexes.map((index, id) => [id, index]));
    const ackedOf = (id: number) => acked.get(id) ?? 0;
    assert.equal(majorityIndex(voters, ackedOf), naiveIndex(voters, acked));
  }));
});

Deno.test("jointVote() of two equal halves is that of one", () => {
  const answers = fc.array(fc.constantFrom(true, false, null), {
    minLength: 10,
    maxLength: 10,
  });
  fc.assert(fc.property(ids, answers, (voters, given) => {
    const votes = new Map<number, boolean>();
    for (const [id, vote] of given.entries()) {
      if (vote !== null) votes.set(id, vote);
    }
    const joint = jointVote({ voters, votersOutgoing: voters }, votes);
    assert.equal(joint, majorityVote(voters, votes));
  }));
});

function votesOf(text: string): ReadonlyMap<number, boolean> {
  const votes = new Map<number, boolean>();
  for (const [nth, vote] of [...text].entries()) {
    if (vote !== "_") votes.set(nth + 1, vote === "y");
  }
  return votes;
}
