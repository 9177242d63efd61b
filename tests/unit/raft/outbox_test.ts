import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import {
  draftMessage,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT_RESP,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { send } from "../../../src/raft/outbox.ts";
import { Member } from "./network.ts";

function start() {
  const { state } = new Member(1, { config: { voters: [1, 2] } });
  state.term = 7;
  return state;
}

Deno.test("send() stamps our id and term, but not on what a leader is asked for", () => {
  const state = start();
  for (const type of [MSG_APP, MSG_HEARTBEAT_RESP, MSG_PROP, MSG_READ_INDEX]) {
    send(state, draftMessage(type, 2));
  }
  assert.deepEqual(
    state.messages.map(({ from, term }) => [from, term]),
    [[1, 7], [1, 7], [1, 0], [1, 0]],
  );
});

Deno.test("send() keeps a first sender", () => {
  const state = start();
  const message = draftMessage(MSG_PROP, 2);
  message.from = 3;
  send(state, message);
  assert.equal(state.messages[0]?.from, 3);
});

Deno.test("send() holds back promises, to others and to us", () => {
  const state = start();
  for (const type of [MSG_APP_RESP, MSG_VOTE_RESP, MSG_PRE_VOTE_RESP]) {
    for (const to of [1, 2]) {
      const message = draftMessage(type, to);
      if (type !== MSG_APP_RESP) message.term = 7;
      send(state, message);
    }
  }
  assert.equal(state.messages.length, 0);
  assert.equal(state.afterAppend.length, 6);
});

Deno.test("send() wants a term on elections and on nothing else", () => {
  const state = start();
  const elections = [MSG_VOTE, MSG_VOTE_RESP, MSG_PRE_VOTE, MSG_PRE_VOTE_RESP];
  for (const type of elections) {
    assert.throws(() => send(state, draftMessage(type, 2)), InvariantError);
  }
  for (const type of [MSG_APP, MSG_APP_RESP, MSG_PROP, MSG_READ_INDEX]) {
    const message = draftMessage(type, 2);
    message.term = 7;
    assert.throws(() => send(state, message), InvariantError);
  }
});

Deno.test("send() lets nothing leave at once for ourselves", () => {
  const state = start();
  const message = draftMessage(MSG_APP, 1);
  assert.throws(() => send(state, message), InvariantError);
});
