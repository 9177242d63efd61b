import { strict as assert } from "node:assert";
import {
  CAMPAIGN_TRANSFER,
  draftMessage,
  idText,
  isLocalMessage,
  isLocalThread,
  isResponseMessage,
  isTransferContext,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  MESSAGE_NAMES,
  messageName,
} from "../../../src/raft/message.ts";

function namesOf(holds: (type: number) => boolean): readonly string[] {
  return MESSAGE_NAMES.filter((_, type) => holds(type));
}

Deno.test("isLocalMessage() names what never comes from the network", () => {
  assert.deepEqual(namesOf(isLocalMessage), [
    "MsgHup",
    "MsgBeat",
    "MsgUnreachable",
    "MsgSnapStatus",
    "MsgCheckQuorum",
    "MsgStorageAppend",
    "MsgStorageAppendResp",
    "MsgStorageApply",
    "MsgStorageApplyResp",
  ]);
});

Deno.test("isResponseMessage() names what only members may send", () => {
  assert.deepEqual(namesOf(isResponseMessage), [
    "MsgAppResp",
    "MsgVoteResp",
    "MsgHeartbeatResp",
    "MsgUnreachable",
    "MsgReadIndexResp",
    "MsgPreVoteResp",
    "MsgStorageAppendResp",
    "MsgStorageApplyResp",
  ]);
});

Deno.test("messageName() numbers types like upstream", () => {
  assert.deepEqual(
    [0, 3, 8, 15, 23].map(messageName),
    ["MsgHup", "MsgApp", "MsgHeartbeat", "MsgReadIndex", "MsgForgetLeader"],
  );
  assert.equal(messageName(24), "Msg24");
});

Deno.test("draftMessage() leaves everything else unset", () => {
  const message = draftMessage(3, 7);
  assert.deepEqual([message.type, message.to, message.from], [3, 7, 0]);
  assert.equal(message.entries.length + message.context.length, 0);
  assert.equal(message.snapshot, null);
});

Deno.test("isLocalThread() knows both threads and no member", () => {
  const ids = [LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, 0, 1];
  assert.deepEqual(ids.map(isLocalThread), [true, true, false, false]);
});

Deno.test("isTransferContext() wants the very mark", () => {
  assert.equal(isTransferContext(CAMPAIGN_TRANSFER.slice()), true);
  assert.equal(isTransferContext(CAMPAIGN_TRANSFER.subarray(1)), false);
  assert.equal(isTransferContext(new Uint8Array(16)), false);
});

Deno.test("idText() is lower-case hex", () => {
  assert.equal(idText(255), "ff");
});
