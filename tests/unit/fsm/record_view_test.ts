import assert from "node:assert/strict";
import fc from "fast-check";
import { recordId, RecordOverlay } from "../../../src/fsm/record_view.ts";
import { versionstampOf } from "../../../src/fsm/versionstamp.ts";
import { u64 } from "./arbitraries.ts";

const record = {
  value: u64(1n),
  versionstamp: versionstampOf(1, 0),
  expireAtMs: 0,
};
const A = { database: 1, key: Uint8Array.of(1, 0) };
const B = { database: 2, key: Uint8Array.of(1, 0) };

Deno.test("recordId() differs for different databases and keys", () => {
  const named = fc.tuple(
    fc.integer({ min: 1, max: 10_000 }),
    fc.uint8Array({ maxLength: 3 }),
  );
  fc.assert(fc.property(named, named, ([n, a], [m, b]) => {
    const same = n === m && a.toString() === b.toString();
    assert.equal(recordId(n, a) === recordId(m, b), same);
  }));
  assert.equal(recordId(10_000, new Uint8Array(2_070)).length, 2_071);
});

Deno.test("RecordOverlay shows what was put last", () => {
  const overlay = new RecordOverlay();
  overlay.put(A, record);
  overlay.put(B, null);
  assert.equal(overlay.get(A), record);
  assert.equal(overlay.get(B), null);
  overlay.put(A, null);
  overlay.put(B, record);
  assert.equal(overlay.get(A), null);
  assert.equal(overlay.get(B), record);
});

Deno.test("RecordOverlay.find() tells absent from unknown", () => {
  const overlay = new RecordOverlay();
  assert.equal(overlay.find(A), undefined);
  assert.equal(overlay.get(A), null);
  overlay.put(A, null);
  assert.equal(overlay.find(A), null);
});
