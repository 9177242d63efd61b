import { strict as assert } from "node:assert";
import { memberStatus, raftStatus } from "../../../src/raft/status.ts";
import { Network } from "./network.ts";

Deno.test("raftStatus() says where each member stands", () => {
  const network = Network.of(2);
  network.campaign(1);
  network.propose(1, "a");
  const { id, role, term, lead, committed, applied, lastIndex, firstIndex } =
    raftStatus(network.at(2).state);
  assert.deepEqual(
    [id, role, term, lead, committed, applied, lastIndex, firstIndex],
    [2, "follower", 1, 1, 2, 2, 2, 1],
  );
  const own = raftStatus(network.at(1).state);
  assert.deepEqual(own.confState.voters, [1, 2]);
  assert.deepEqual([own.pendingSnapshot, own.uncommittedBytes], [0, 0]);
});

Deno.test("memberStatus() is the leader's view, and nobody else's", () => {
  const network = Network.of(2);
  network.campaign(1);
  assert.deepEqual(memberStatus(network.at(2).state), []);
  assert.deepEqual(
    memberStatus(network.at(1).state).map(({ id, match, next, state }) => ({
      id,
      match,
      next,
      state,
    })),
    [
      { id: 1, match: 1, next: 2, state: "replicate" },
      { id: 2, match: 1, next: 2, state: "replicate" },
    ],
  );
});
