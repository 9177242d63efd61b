import { strict as assert } from "node:assert";
import { utf8 } from "../../../src/base/bytes.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { MSG_APP, MSG_APP_RESP } from "../../../src/raft/message.ts";
import type { SnapshotMetadata } from "../../../src/raft/types.ts";
import { entriesOf } from "../../scenario/memory_storage.ts";
import { CoreGroup, DrivenCore } from "./core_group.ts";
import { messageOf, ofType } from "./network.ts";

const VOTERS = { voters: [1, 2, 3] };

function checkpoint(
  index: number,
  given: Partial<SnapshotMetadata> = {},
): SnapshotMetadata {
  return { index, term: 4, confState: { ...NO_CONFIG, ...VOTERS }, ...given };
}

/** Member 1, led by 2 in term 5, with its log at 2. */
function follower(): DrivenCore {
  const member = new DrivenCore(1, VOTERS);
  const append = { to: 1, from: 2, term: 5, index: 2, logTerm: 1, commit: 2 };
  member.core.step(messageOf(MSG_APP, append));
  member.settle();
  assert.equal(member.core.state.lead, 2);
  return member;
}

Deno.test("Core.offerCheckpoint() makes a follower install it and say so", () => {
  const member = follower();
  const { core } = member;
  assert.equal(core.offerCheckpoint(checkpoint(50)), true);
  const sent = member.settle();
  assert.deepEqual(member.installed.map(({ metadata }) => metadata), [
    checkpoint(50),
  ]);
  const [answer] = ofType(sent, MSG_APP_RESP);
  assert.deepEqual([answer?.to, answer?.index, answer?.term], [2, 50, 5]);
  const { entryLog } = core.state;
  assert.deepEqual([entryLog.committed, entryLog.applied], [50, 50]);
  assert.equal(core.offerCheckpoint(checkpoint(50)), false, "it is there");
});

Deno.test("Core.offerCheckpoint() says so only once it is durable", () => {
  const { core } = follower();
  core.offerCheckpoint(checkpoint(50));
  const effects = core.pump();
  assert.deepEqual(ofType(effects?.send ?? [], MSG_APP_RESP), []);
  const late = effects?.persist?.afterDurable ?? [];
  assert.deepEqual(ofType(late, MSG_APP_RESP).map(({ index }) => index), [50]);
});

Deno.test("Core.offerCheckpoint() takes on the members of the checkpoint", () => {
  const member = follower();
  const confState = { ...NO_CONFIG, voters: [1, 2], learners: [9] };
  assert.ok(member.core.offerCheckpoint(checkpoint(50, { confState })));
  member.settle();
  assert.deepEqual(member.core.state.membership.config, confState);
});

Deno.test("Core.offerCheckpoint() lets a member wait that knows no leader", () => {
  const { core } = new DrivenCore(1, VOTERS);
  assert.equal(core.offerCheckpoint(checkpoint(50)), false);
  assert.equal(core.pump(), null);
});

Deno.test("Core.offerCheckpoint() does nothing to a candidate", () => {
  for (const preVote of [true, false]) {
    const member = new DrivenCore(1, VOTERS, { preVote });
    member.core.campaign();
    const { role, term } = member.core.state;
    assert.equal(role, preVote ? "pre-candidate" : "candidate");
    assert.equal(member.core.offerCheckpoint(checkpoint(50)), false);
    assert.deepEqual(
      [member.core.state.role, member.core.state.term],
      [role, term],
    );
    member.settle();
    assert.deepEqual(member.installed, []);
  }
});

Deno.test("Core.offerCheckpoint() does nothing to a leader", () => {
  const group = CoreGroup.of(3);
  group.campaign(1);
  assert.equal(group.core(1).offerCheckpoint(checkpoint(50)), false);
  group.settle();
  assert.equal(group.core(1).state.role, "leader");
  assert.deepEqual(group.at(1).installed, []);
});

Deno.test("Core.offerCheckpoint() takes no older one than what is committed", () => {
  for (const [index, isTaken] of [[1, false], [2, false], [3, true]] as const) {
    const member = follower();
    const offered = checkpoint(index);
    assert.equal(member.core.offerCheckpoint(offered), isTaken, `${index}`);
    member.settle();
    assert.equal(member.installed.length, isTaken ? 1 : 0);
  }
});

Deno.test("Core.offerCheckpoint() only commits what the log has already", () => {
  const member = follower();
  const entries = entriesOf(3, 4, 4, 4);
  const append = { to: 1, from: 2, term: 5, index: 2, logTerm: 1, entries };
  member.core.step(messageOf(MSG_APP, append));
  member.settle();
  assert.equal(member.core.offerCheckpoint(checkpoint(5)), false);
  member.settle();
  assert.deepEqual(member.installed, []);
  assert.deepEqual(member.applied.map(({ index }) => index), [3, 4, 5]);
});

Deno.test("Core.offerCheckpoint() takes none without this member in it", () => {
  const member = follower();
  const confState = { ...NO_CONFIG, voters: [2, 3] };
  assert.equal(
    member.core.offerCheckpoint(checkpoint(50, { confState })),
    false,
  );
});

Deno.test("Core.offerCheckpoint() under a later leader is as good", () => {
  const group = CoreGroup.of(3);
  group.isolated.add(3);
  group.campaign(1);
  for (const text of ["a", "b", "c"]) group.core(1).propose(utf8(text));
  group.settle();
  const { committed, lastIndex } = group.core(1).status();
  assert.equal(committed, 6);
  const term = group.core(1).state.entryLog.termOrZero(committed);
  group.isolated.delete(3);
  group.isolated.add(1);
  group.ticks(40);
  const leader = group.leader();
  assert.notEqual(leader, null);
  assert.ok(group.core(3).state.term > term || leader === 2);
  const confState = { ...NO_CONFIG, ...VOTERS };
  const late = new DrivenCore(3, VOTERS);
  const append = { to: 3, from: 2, term: 9, index: 2, logTerm: 1, commit: 2 };
  late.core.step(messageOf(MSG_APP, append));
  assert.ok(late.core.offerCheckpoint({ index: lastIndex, term, confState }));
  late.settle();
  assert.equal(late.storage.lastIndex(), lastIndex);
});
