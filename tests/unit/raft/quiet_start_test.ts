import { strict as assert } from "node:assert";
import {
  CAMPAIGN_TRANSFER,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import type { RaftOptions } from "../../../src/raft/options.ts";
import { DrivenCore } from "./core_group.ts";
import { messageOf, ofType } from "./network.ts";

const VOTERS = { voters: [1, 2, 3] };
const QUIET = { quietTicks: 10 };

/** Whether member 1 grants a vote after `ticks`. */
function grants(
  type: typeof MSG_VOTE | typeof MSG_PRE_VOTE,
  ticks: number,
  options: Partial<RaftOptions>,
  context = new Uint8Array(0),
): boolean {
  const member = new DrivenCore(1, VOTERS, options);
  member.ticks(ticks);
  const request = { to: 1, from: 2, term: 5, index: 9, logTerm: 4, context };
  member.core.step(messageOf(type, request));
  const sent = member.settle();
  const answers = [
    ...ofType(sent, MSG_VOTE_RESP),
    ...ofType(sent, MSG_PRE_VOTE_RESP),
  ];
  return answers.some(({ reject }) => !reject);
}

for (const type of [MSG_VOTE, MSG_PRE_VOTE] as const) {
  Deno.test(`Core helps nobody to lead in its first quiet ticks: type ${type}`, () => {
    assert.equal(grants(type, 0, QUIET), false);
    assert.equal(grants(type, 9, QUIET), false);
    assert.equal(grants(type, 10, { ...QUIET, electionTicks: 20 }), true);
    assert.equal(grants(type, 0, {}), true, "unless it has reasons");
    assert.equal(grants(type, 0, { ...QUIET, checkQuorum: false }), true);
  });
}

Deno.test("Core in its quiet ticks helps where its leader wants it to", () => {
  const context = new Uint8Array(CAMPAIGN_TRANSFER);
  assert.equal(grants(MSG_VOTE, 0, QUIET, context), true);
});
