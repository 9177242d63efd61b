import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  isLocalMessage,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  MESSAGE_NAMES,
  MSG_HEARTBEAT,
  MSG_STORAGE_APPEND,
  MSG_STORAGE_APPEND_RESP,
  MSG_STORAGE_APPLY,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { snapshotOf } from "../../scenario/memory_storage.ts";
import { Member, messageOf, ofType } from "./network.ts";

MESSAGE_NAMES.forEach((name, type) => {
  if (!isLocalMessage(type)) return;
  Deno.test(`RawNode.step() refuses ${name} from a peer`, () => {
    const { raw } = new Member(1, { config: { voters: [1, 2] } });
    const message = messageOf(type, { to: 1, from: 2, term: 1 });
    assert.equal(raw.step(message), "local-message");
    assert.equal(raw.state.role, "follower");
  });
});

Deno.test("RawNode.step() takes answers of its own threads", () => {
  const { raw } = new Member(1);
  const message = messageOf(MSG_STORAGE_APPEND_RESP, {
    to: 1,
    from: LOCAL_APPEND_THREAD,
  });
  assert.equal(raw.step(message), null);
});

Deno.test("RawNode.step() refuses answers of strangers, not their requests", () => {
  const { raw } = new Member(1, { config: { voters: [1, 2] } });
  const answer = messageOf(MSG_VOTE_RESP, { to: 1, from: 9, term: 1 });
  assert.equal(raw.step(answer), "unknown-peer");
  const request = messageOf(MSG_VOTE, { to: 1, from: 9, term: 1 });
  assert.equal(raw.step(request), null);
});

Deno.test("RawNode.ready() is out once at a time", () => {
  const { raw } = new Member(1, { config: { voters: [1] } });
  raw.campaign();
  raw.ready();
  assert.throws(() => raw.ready(), InvariantError);
  raw.advance();
  assert.equal(raw.state.role, "leader");
});

Deno.test("RawNode.advance() has no place in async mode", () => {
  const { raw } = new Member(1, { asyncStorage: true });
  assert.throws(() => raw.advance(), InvariantError);
});

Deno.test("RawNode.ready() in async mode ends with the storage's work", () => {
  const member = new Member(1, { config: { voters: [1] }, asyncStorage: true });
  member.raw.campaign();
  const { messages } = member.raw.ready();
  const [append] = ofType(messages, MSG_STORAGE_APPEND);
  assert.equal(append?.to, LOCAL_APPEND_THREAD);
  assert.deepEqual(
    [append?.term, append?.vote, append?.commit],
    [1, 1, 0],
  );
  for (const response of append?.responses ?? []) member.raw.step(response);
  const [write] = ofType(member.raw.ready().messages, MSG_STORAGE_APPEND);
  assert.deepEqual([write?.term, write?.entries.length], [0, 1]);
  member.storage.append(write?.entries ?? []);
  for (const response of write?.responses ?? []) member.raw.step(response);
  const [apply] = ofType(member.raw.ready().messages, MSG_STORAGE_APPLY);
  assert.deepEqual([apply?.to, apply?.term], [LOCAL_APPLY_THREAD, 0]);
  for (const response of apply?.responses ?? []) member.raw.step(response);
  assert.equal(member.state.entryLog.applied, 1);
});

Deno.test("RawNode restarts where it was, without anything to do", () => {
  const member = new Member(1, { config: { voters: [1] } });
  member.raw.campaign();
  member.settle();
  member.propose("a");
  member.settle();
  const again = new Member(1, { memory: member.storage });
  const { term, entryLog } = again.state;
  assert.deepEqual([term, entryLog.committed, entryLog.lastIndex()], [1, 2, 2]);
  const ready = again.raw.ready();
  assert.equal(ready.hardState, null);
  assert.deepEqual(ready.committedEntries.map(({ index }) => index), [1, 2]);
});

Deno.test("RawNode restarts from a checkpoint", () => {
  const member = new Member(1);
  const config = { ...NO_CONFIG, voters: [1, 2] };
  member.storage.applySnapshot(snapshotOf(5, 2, config));
  const again = new Member(1, { memory: member.storage, applied: 5 });
  assert.equal(again.raw.hasReady(), false);
  assert.deepEqual(again.state.membership.config, config);
  again.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 2, term: 2, commit: 5 }));
  assert.equal(again.state.entryLog.committed, 5);
});
