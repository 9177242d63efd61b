import assert from "node:assert/strict";
import { LogView } from "../../../src/wal/log_view.ts";
import { entriesOf, entryAt, metadataAt } from "../../sim/wal_model.ts";
import { foundedHeader } from "./states.ts";

function viewOf(until: number): LogView {
  const view = new LogView(foundedHeader(1, 1));
  for (const entry of entriesOf(2, until, 1)) {
    assert.equal(view.acceptEntry(entry), null);
  }
  view.placeFrame(1, 0);
  return view;
}

Deno.test("LogView.placeFrame() notes the least entry of the frame", () => {
  const view = viewOf(9);
  assert.equal(view.acceptEntry(entryAt(5, 2)), null);
  assert.equal(view.acceptEntry(entryAt(6, 2)), null);
  view.placeFrame(1, 400);
  assert.equal(view.places.find(5)?.offset, 0);
  view.acceptEntry(entryAt(6, 3));
  view.placeFrame(2, 40);
  assert.equal(view.places.find(6)?.segment, 2);
  assert.equal(view.places.find(5)?.segment, 1);
});

Deno.test("LogView.replacements counts what voids a read", () => {
  const view = viewOf(5);
  assert.equal(view.replacements, 0);
  view.acceptEntry(entryAt(4, 2));
  assert.equal(view.replacements, 1);
  const install = { install: true, metadata: metadataAt(30, 2) };
  assert.equal(view.acceptMark(install), null);
  assert.equal(view.replacements, 2);
  assert.equal(view.storage.firstIndex(), 31);
  assert.equal(view.cache.from, 31);
});

Deno.test("LogView takes nothing of a record that breaks a rule", () => {
  const view = viewOf(5);
  assert.match(view.acceptEntry(entryAt(9, 1)) ?? "", /follows entry 4/);
  assert.equal(view.storage.lastIndex(), 4);
  assert.match(view.acceptFloor({ index: 3, term: 1 }) ?? "", /mark/);
  assert.match(
    view.acceptHardState({ term: 0, vote: 0, commit: 1 }) ?? "",
    /term/,
  );
  assert.equal(view.acceptFrameEnd(), null);
});
