import { strict as assert } from "node:assert";
import { utf8 } from "../../../src/base/bytes.ts";
import {
  type Message,
  MSG_HEARTBEAT,
  MSG_READ_INDEX,
  MSG_READ_INDEX_RESP,
} from "../../../src/raft/message.ts";
import {
  onReadAck,
  onReadIndex,
  releaseParkedReads,
} from "../../../src/raft/read_index.ts";
import { encodePosition } from "../../../src/raft/read_queue.ts";
import { becomeCandidate, becomeLeader } from "../../../src/raft/roles.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import { entryOf, Member, messageOf, ofType } from "./network.ts";

/** A leader of `voters` with its first entry committed, or not. */
function lead(voters: number[], isCommitted: boolean): RaftState {
  const { state } = new Member(1, { config: { voters } });
  becomeCandidate(state);
  becomeLeader(state);
  if (isCommitted) state.entryLog.commitTo(1);
  state.messages = [];
  return state;
}

function request(token: string, from = 0): Message {
  const entries = [entryOf(0, 0, token)];
  return messageOf(MSG_READ_INDEX, { to: 1, from, entries });
}

Deno.test("onReadIndex() parks before a commit in the term", () => {
  for (const voters of [[1], [1, 2]]) {
    const state = lead(voters, false);
    onReadIndex(state, request("a"));
    assert.equal(state.parkedReads.length, 1);
    assert.deepEqual([state.readStates, state.messages], [[], []]);
  }
});

Deno.test("onReadIndex() answers at once for a lone voter", () => {
  const state = lead([1], true);
  onReadIndex(state, request("a"));
  assert.deepEqual(state.readStates, [{ index: 1, token: utf8("a") }]);
});

Deno.test("onReadIndex() asks the others, and answers who asked", () => {
  const state = lead([1, 2, 3], true);
  onReadIndex(state, request("a", 3));
  const beats = ofType(state.messages, MSG_HEARTBEAT);
  assert.deepEqual(beats.map(({ context }) => context), [
    encodePosition(1),
    encodePosition(1),
  ]);
  onReadAck(state, 2, encodePosition(1));
  const [answer] = ofType(state.messages, MSG_READ_INDEX_RESP);
  assert.deepEqual([answer?.to, answer?.index, answer?.term], [3, 1, 1]);
  assert.deepEqual(answer?.entries[0]?.data, utf8("a"));
  assert.deepEqual(state.readStates, []);
});

Deno.test("onReadIndex() gives each read the commit index of its time", () => {
  const state = lead([1, 2, 3], true);
  onReadIndex(state, request("a"));
  state.entryLog.append([entryOf(2, 1)]);
  state.entryLog.commitTo(2);
  onReadIndex(state, request("b"));
  onReadAck(state, 2, encodePosition(2));
  assert.deepEqual(state.readStates.map(({ index }) => index), [1, 2]);
});

Deno.test("onReadIndex() counts itself where that is a quorum", () => {
  const { state } = new Member(1, {
    config: { voters: [1], votersOutgoing: [1] },
  });
  becomeCandidate(state);
  becomeLeader(state);
  state.entryLog.commitTo(1);
  onReadIndex(state, request("a"));
  assert.equal(state.readStates.length, 1);
});

Deno.test("onReadAck() ignores what is no position of ours", () => {
  const state = lead([1, 2, 3], true);
  onReadIndex(state, request("a"));
  for (const context of [new Uint8Array(), utf8("a"), encodePosition(2)]) {
    onReadAck(state, 2, context);
  }
  onReadAck(state, 9, encodePosition(1));
  assert.deepEqual(state.readStates, []);
});

Deno.test("releaseParkedReads() goes on with each, once", () => {
  const state = lead([1], false);
  onReadIndex(state, request("a"));
  onReadIndex(state, request("b"));
  state.entryLog.commitTo(1);
  releaseParkedReads(state);
  releaseParkedReads(state);
  assert.deepEqual(state.readStates.map(({ token }) => token), [
    utf8("a"),
    utf8("b"),
  ]);
});
