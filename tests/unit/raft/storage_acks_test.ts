import { strict as assert } from "node:assert";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  MSG_STORAGE_APPEND_RESP,
  MSG_STORAGE_APPLY_RESP,
} from "../../../src/raft/message.ts";
import { becomeCandidate, becomeLeader } from "../../../src/raft/roles.ts";
import {
  onSnapshotInstalled,
  onStorageAppended,
  onStorageApplied,
} from "../../../src/raft/storage_acks.ts";
import { ENTRY_CONF_CHANGE_V2 } from "../../../src/raft/types.ts";
import { snapshotOf } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf } from "./network.ts";

Deno.test("onStorageAppended() makes entries and a checkpoint stable", () => {
  const { state } = new Member(1);
  state.entryLog.restore(snapshotOf(3, 1, NO_CONFIG));
  state.entryLog.append([entryOf(4, 1), entryOf(5, 1)]);
  const snapshot = snapshotOf(3, 1, NO_CONFIG);
  const fields = { to: 1, index: 4, logTerm: 1, snapshot };
  onStorageAppended(state, messageOf(MSG_STORAGE_APPEND_RESP, fields));
  const { unstable, applied } = state.entryLog;
  assert.deepEqual([unstable.offset, unstable.length, applied], [5, 1, 3]);
  assert.equal(unstable.snapshot, null);
});

Deno.test("onSnapshotInstalled() keeps a newer checkpoint", () => {
  const { state } = new Member(1);
  state.entryLog.restore(snapshotOf(3, 1, NO_CONFIG));
  state.entryLog.restore(snapshotOf(6, 1, NO_CONFIG));
  onSnapshotInstalled(state, snapshotOf(3, 1, NO_CONFIG));
  assert.equal(state.entryLog.unstable.snapshot?.metadata.index, 6);
  assert.equal(state.entryLog.applied, 3);
});

Deno.test("onStorageApplied() moves on and gives credit, never back", () => {
  const { state } = new Member(1);
  state.entryLog.append([entryOf(1, 1, "abc"), entryOf(2, 1)]);
  state.entryLog.commitTo(2);
  state.uncommittedBytes = 5;
  const applied = (...entries: ReturnType<typeof entryOf>[]) =>
    onStorageApplied(
      state,
      messageOf(MSG_STORAGE_APPLY_RESP, { to: 1, entries }),
    );
  applied(entryOf(1, 1, "abc"), entryOf(2, 1));
  assert.deepEqual([state.entryLog.applied, state.uncommittedBytes], [2, 2]);
  applied(entryOf(1, 1));
  applied();
  assert.equal(state.entryLog.applied, 2);
});

Deno.test("onStorageApplied() proposes to leave a joint membership when it is applied", () => {
  const config = { voters: [1], votersOutgoing: [1], autoLeave: true };
  for (const pending of [1, 2]) {
    const { state } = new Member(1, { config });
    becomeCandidate(state);
    becomeLeader(state);
    state.entryLog.commitTo(1);
    state.pendingConfIndex = pending;
    const entries = [entryOf(1, 1)];
    const message = messageOf(MSG_STORAGE_APPLY_RESP, { to: 1, entries });
    onStorageApplied(state, message);
    const last = state.entryLog.entries(2, Infinity);
    assert.ok(typeof last !== "string");
    assert.deepEqual(
      last.map(({ type }) => type),
      pending === 1 ? [ENTRY_CONF_CHANGE_V2] : [],
    );
  }
});
