import assert from "node:assert/strict";
import {
  notRetirable,
  retirementTask,
  usesOf,
} from "../../../../src/node/encryption/retire.ts";
import type { RecordCounts } from "../../../../src/node/encryption_port.ts";
import {
  type KeyReferences,
  type MemberReport,
  NO_FINDING,
} from "../../../../src/node/encryption/tasks/task.ts";
import {
  BOOTSTRAP,
  ENABLE_STORAGE,
  RAFT,
  retire,
  rotate,
  STATE,
  stateAfter,
  STORAGE,
} from "../../fsm/encryption_fixtures.ts";

const NEXT = 55;
const FIRST = [BOOTSTRAP, ENABLE_STORAGE];
/** Of the rotation. */
const ROTATED = stateAfter(...FIRST, rotate(NEXT, "storage", STORAGE));
const RAFT_ROTATED = stateAfter(...FIRST, rotate(NEXT, "raft", RAFT));

function reportOf(
  member: string,
  finding: {
    readonly counts?: RecordCounts;
    readonly references?: KeyReferences;
  },
): MemberReport {
  return {
    member,
    state: "done",
    ...{ done: 1, total: 1, bytes: 0, elapsedMs: 1, failure: "" },
    ...NO_FINDING,
    ...finding,
  };
}

function refs(
  entries: number,
  lastIndex: number,
  checkpointIndex: number,
): KeyReferences {
  return { entries, lastIndex, checkpointIndex };
}

Deno.test("notRetirable() lets only replaced keys go", () => {
  assert.equal(notRetirable(ROTATED, STORAGE), null);
  assert.equal(notRetirable(RAFT_ROTATED, RAFT), null);
  const said: readonly (readonly [number, RegExp, RegExp])[] = [
    [STATE, /keys the cluster's own state/, /shows as replaced/],
    [NEXT, /active key of purpose storage/, /rotate-dek --purpose storage/],
    [RAFT, /active key of purpose raft/, /rotate-dek --purpose raft/],
    [4_711, /there is no such key/, /shows as replaced/],
  ];
  for (const [keyId, message, remedy] of said) {
    const refusal = notRetirable(ROTATED, keyId);
    assert.equal(refusal?.code, "NODE_KEY_NOT_RETIRABLE");
    assert.match(refusal.message, message);
    assert.match(refusal.remedy, remedy);
  }
  const gone = stateAfter(
    ...FIRST,
    rotate(NEXT, "storage", STORAGE),
    retire(STORAGE),
  );
  assert.match(notRetirable(gone, STORAGE)!.message, /it is retired/);
});

Deno.test("retirementTask() asks of each purpose what proves it", () => {
  const { deactivatedIndex } = ROTATED.keys.get(STORAGE)!;
  assert.ok(deactivatedIndex > 0);
  assert.deepEqual(retirementTask(ROTATED, STORAGE, 99), {
    kind: "scan",
    appliedFrom: deactivatedIndex,
  });
  // What the leader has sealed under it, or holds of it, is at its end.
  assert.deepEqual(retirementTask(RAFT_ROTATED, RAFT, 99), {
    kind: "key-references",
    keyId: RAFT,
    appliedFrom: 99,
  });
});

Deno.test("usesOf() names each member that has something of the key", () => {
  const counts = (records: number) => ({
    cleartext: 3,
    sealed: new Map([[STORAGE, records], [NEXT, 8]]),
  });
  const none = { cleartext: 0, sealed: new Map() };
  const storage = usesOf(STORAGE, 7, [
    reportOf("n1", { counts: counts(2) }),
    reportOf("n2", { counts: counts(0) }),
    reportOf("n3", { counts: none }),
  ]);
  assert.deepEqual(storage.map(({ member }) => member), ["n1"]);
  assert.match(storage[0]!.use, /^2 records under it/);
  assert.match(storage[0]!.remedy, /sealkv encryption rewrite --follow/);
});

Deno.test("usesOf() takes old evidence, and none, for a use", () => {
  const uses = usesOf(RAFT, 7, [
    reportOf("n1", { references: refs(0, 0, 7) }),
    reportOf("n2", { references: refs(0, 0, 6) }),
    reportOf("n3", { references: refs(2, 12, 9) }),
    reportOf("n4", {}),
  ]);
  const texts = uses.map(({ member, use, remedy }) => [member, use, remedy]);
  assert.deepEqual(texts.map(([member]) => member), ["n2", "n3", "n4"]);
  assert.match(texts[0]![1]!, /store of entry 6, before the key was replaced/);
  assert.match(texts[0]![2]!, /applied entry 7/);
  assert.match(texts[1]![1]!, /2 entries .* the last one at 12/);
  assert.match(texts[1]![2]!, /applied entry 12/);
  assert.match(texts[2]![1]!, /no proof/);
});
