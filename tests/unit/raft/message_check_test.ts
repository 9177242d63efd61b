import { strict as assert } from "node:assert";
import {
  type Message,
  MESSAGE_NAMES,
  MSG_APP,
  MSG_FORGET_LEADER,
  MSG_HEARTBEAT,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_READ_INDEX_RESP,
  MSG_SNAP,
} from "../../../src/raft/message.ts";
import { isWellFormed } from "../../../src/raft/message_check.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { snapshotOf } from "../../scenario/memory_storage.ts";
import { entryOf, messageOf } from "./network.ts";

const one = [entryOf(0, 0)];
const CASES: [name: string, Partial<Message>, expected: boolean][] = [
  ["a heartbeat", { type: MSG_HEARTBEAT, term: 1 }, true],
  ["a heartbeat without a term", { type: MSG_HEARTBEAT }, false],
  ["a message from nobody", { type: MSG_HEARTBEAT, term: 1, from: 0 }, false],
  ["a message from us", { type: MSG_HEARTBEAT, term: 1, from: 1 }, false],
  [
    "our proposal, coming back",
    { type: MSG_PROP, from: 1, entries: one },
    true,
  ],
  ["a proposal", { type: MSG_PROP, entries: one }, true],
  ["a proposal with a term", { type: MSG_PROP, term: 1, entries: one }, false],
  ["an empty proposal", { type: MSG_PROP }, false],
  ["a read", { type: MSG_READ_INDEX, entries: one }, true],
  ["a read without a token", { type: MSG_READ_INDEX }, false],
  [
    "an answered read",
    { type: MSG_READ_INDEX_RESP, term: 1, entries: one },
    true,
  ],
  ["an answer without a token", { type: MSG_READ_INDEX_RESP, term: 1 }, false],
  ["a call from afar", { type: MSG_FORGET_LEADER, term: 1 }, false],
  ["no checkpoint", { type: MSG_SNAP, term: 1 }, false],
  ["a checkpoint", snapshotAt(3, 1), true],
  ["an empty checkpoint", snapshotAt(0, 0), false],
  ["a checkpoint of the future", snapshotAt(3, 2), false],
  ["an append", append(3, 1, [[4, 1], [5, 2]]), true],
  ["an append with a gap", append(3, 1, [[4, 1], [6, 1]]), false],
  ["an append that overlaps", append(3, 1, [[3, 1]]), false],
  ["an append whose terms fall", append(3, 2, [[4, 1]]), false],
  ["an append of the future", append(3, 1, [[4, 3]]), false],
  ["a previous entry of the future", append(3, 3, []), false],
];

function snapshotAt(index: number, term: number): Partial<Message> {
  return {
    type: MSG_SNAP,
    term: 1,
    snapshot: snapshotOf(index, term, NO_CONFIG),
  };
}

function append(
  index: number,
  logTerm: number,
  at: readonly [index: number, term: number][],
): Partial<Message> {
  const entries = at.map(([entryIndex, term]) => entryOf(entryIndex, term));
  return { type: MSG_APP, term: 2, index, logTerm, entries };
}

for (const [name, fields, expected] of CASES) {
  Deno.test(`isWellFormed() ${expected ? "takes" : "refuses"} ${name}`, () => {
    const { type = 0 } = fields;
    const message = messageOf(type, { to: 1, from: 2, ...fields });
    assert.equal(isWellFormed(message), expected, MESSAGE_NAMES[type]);
  });
}
