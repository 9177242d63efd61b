import assert from "node:assert/strict";
import { encodedBytes, withinBytes } from "../../../src/wal/storage.ts";
import { LogView } from "../../../src/wal/log_view.ts";
import {
  entriesOf,
  entryAt,
  metadataAt,
  ONE_VOTER,
} from "../../sim/wal_model.ts";
import { foundedHeader } from "./states.ts";

/** Founded at 4, entries 5 to 19 of term 2, those up to 9 not in memory. */
function viewTo19(): LogView {
  const view = new LogView(foundedHeader(4, 2));
  for (const entry of entriesOf(5, 20, 2)) view.acceptEntry(entry);
  view.cache.forget(9);
  return view;
}

function indexes(found: ReturnType<LogView["storage"]["entries"]>) {
  return typeof found === "string" ? found : found.map(({ index }) => index);
}

Deno.test("WalStorage.term() knows the floor and every entry", () => {
  const { storage } = viewTo19();
  const terms = [3, 4, 5, 19, 20].map((index) => storage.term(index));
  assert.deepEqual(terms, ["compacted", 2, 2, 2, "unavailable"]);
  assert.equal(storage.firstIndex(), 5);
  assert.equal(storage.lastIndex(), 19);
});

Deno.test("WalStorage.entries() says why it has no answer", () => {
  const { storage } = viewTo19();
  assert.equal(storage.entries(4, 6, 1000), "compacted");
  assert.equal(storage.entries(18, 21, 1000), "unavailable");
  assert.equal(storage.entries(9, 12, 1000), "not-cached");
  assert.deepEqual(storage.entries(12, 12, 1000), []);
});

Deno.test("WalStorage.entries() keeps to its bytes, at least one", () => {
  const { storage } = viewTo19();
  const one = encodedBytes(entryAt(10, 2));
  const cases: [bytesMax: number, count: number][] = [
    [0, 1],
    [one, 1],
    [one * 2 - 1, 1],
    [one * 2, 2],
    [one * 100, 5],
  ];
  for (const [bytesMax, count] of cases) {
    const found = storage.entries(10, 15, bytesMax);
    assert.deepEqual(indexes(found), [10, 11, 12, 13, 14].slice(0, count));
  }
});

Deno.test("WalStorage.keepFetched() answers until entries are replaced", () => {
  const view = viewTo19();
  const { storage } = view;
  storage.keepFetched(entriesOf(6, 9, 2));
  storage.keepFetched([]);
  assert.deepEqual(indexes(storage.entries(7, 12, 1e6)), [7, 8]);
  assert.equal(storage.entries(9, 12, 1e6), "not-cached");
  view.acceptEntry(entryAt(15, 3));
  assert.equal(storage.entries(7, 12, 1e6), "not-cached");
});

Deno.test("WalStorage.initialState() is the mark's configuration", () => {
  const { storage } = viewTo19();
  assert.deepEqual(storage.initialState(), {
    hardState: { term: 2, vote: 0, commit: 4 },
    confState: ONE_VOTER,
  });
  assert.deepEqual(storage.snapshot()?.metadata, metadataAt(4, 2));
});

Deno.test("encodedBytes() is the protobuf size", () => {
  const empty = {
    type: 0,
    term: 1,
    index: 1,
    data: new Uint8Array(0),
  } as const;
  assert.equal(encodedBytes(empty), 6);
  assert.equal(encodedBytes({ ...empty, index: 128 }), 7);
  assert.equal(encodedBytes({ ...empty, data: new Uint8Array(127) }), 135);
  assert.equal(encodedBytes({ ...empty, data: new Uint8Array(128) }), 137);
});

Deno.test("withinBytes() cuts at the budget", () => {
  const entries = entriesOf(5, 8, 1);
  const one = encodedBytes(entries[0]!);
  assert.equal(withinBytes(entries, one * 2).length, 2);
  assert.equal(withinBytes(entries, 0).length, 1);
  assert.deepEqual(withinBytes([], 0), []);
});
