import { strict as assert } from "node:assert";
import { policyRefusal } from "../../../src/raft/conf_policy.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";

type Ids = readonly number[];

const CASES: [
  name: string,
  before: Ids,
  after: Ids,
  outgoing: Ids,
  ok: boolean,
][] = [
  ["a voter added to two", [1, 2], [1, 2, 3], [], true],
  ["a voter removed from two", [1, 2], [1], [], true],
  ["the leader removed", [1, 2, 3], [2, 3], [], false],
  [
    "the leader removed by a joint change",
    [1, 2, 3],
    [2, 3, 4],
    [1, 2, 3],
    false,
  ],
  ["growth from one", [1], [1, 2, 3], [1], true],
  ["one replaced by another", [1], [2], [1], false],
  ["three replaced but one", [1, 2, 3], [1, 4, 5], [1, 2, 3], true],
  ["three shrunk to two", [1, 2, 3], [1, 2], [1, 2, 3], false],
  ["two grown to four", [1, 2], [1, 2, 3, 4], [1, 2], false],
];

for (const [name, before, voters, votersOutgoing, ok] of CASES) {
  Deno.test(`policyRefusal() ${ok ? "allows" : "refuses"} ${name}`, () => {
    const refusal = policyRefusal(
      { ...NO_CONFIG, voters: before },
      { ...NO_CONFIG, voters, votersOutgoing },
      1,
    );
    assert.equal(refusal === null, ok, refusal ?? "allowed");
  });
}

Deno.test("policyRefusal() lets a leader outside the group go on", () => {
  const trio = { ...NO_CONFIG, voters: [2, 3, 4] };
  assert.equal(policyRefusal(trio, { ...trio, voters: [2, 3] }, 1), null);
});
