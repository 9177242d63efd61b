import assert from "node:assert/strict";
import { EntryPlaces } from "../../../src/wal/entry_places.ts";

const FAR = 64 * 2 ** 10;

Deno.test("EntryPlaces.find() is the last place at or before an entry", () => {
  const places = new EntryPlaces();
  places.note(1, 0, 2);
  places.note(1, 100, 5);
  places.note(1, FAR, 9);
  places.note(2, 0, 20);
  const found: [index: number, segment: number, offset: number][] = [
    [2, 1, 0],
    [8, 1, 0],
    [9, 1, FAR],
    [19, 1, FAR],
    [20, 2, 0],
    [99, 2, 0],
  ];
  for (const [index, segment, offset] of found) {
    const place = places.find(index);
    assert.deepEqual([place?.segment, place?.offset], [segment, offset]);
  }
  assert.equal(places.find(1), null);
});

Deno.test("EntryPlaces.note() drops places of replaced entries", () => {
  const places = new EntryPlaces();
  places.note(1, 0, 2);
  places.note(1, FAR, 9);
  places.note(1, FAR + 100, 6);
  assert.equal(places.find(9)?.offset, FAR + 100);
  assert.equal(places.find(6)?.offset, FAR + 100);
  assert.equal(places.find(5)?.offset, 0);
});

Deno.test("EntryPlaces.purge() drops older segments", () => {
  const places = new EntryPlaces();
  places.note(1, 0, 2);
  places.note(2, 0, 9);
  places.note(3, 0, 12);
  places.purge(2);
  assert.equal(places.find(5), null);
  assert.equal(places.find(9)?.segment, 2);
  places.purge(9);
  assert.equal(places.find(99), null);
});
