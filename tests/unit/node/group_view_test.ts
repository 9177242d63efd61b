import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { ENCODING_BYTES, type StoredRecord } from "../../../src/fsm/types.ts";
import { GroupView } from "../../../src/node/group_view.ts";

const KEY = { database: 1, key: utf8("a") };

function record(byte: number): StoredRecord {
  return {
    value: { data: new Uint8Array([byte]), encoding: ENCODING_BYTES },
    versionstamp: new Uint8Array(10).fill(byte),
    expireAtMs: 0,
  };
}

Deno.test("GroupView.get() returns what was read before the group", () => {
  const view = new GroupView();
  view.set(KEY, record(1));
  assert.deepEqual(view.get(KEY), record(1));
  assert.equal(view.get({ database: 2, key: KEY.key }), null);
});

Deno.test("GroupView.get() prefers the newest mutation of the group", () => {
  const view = new GroupView();
  view.set(KEY, record(1));
  view.put([{ ...KEY, record: record(2) }]);
  view.put([{ ...KEY, record: record(3) }]);
  assert.deepEqual(view.get(KEY), record(3));
  view.put([{ ...KEY, record: null }]);
  assert.equal(view.get(KEY), null);
});
