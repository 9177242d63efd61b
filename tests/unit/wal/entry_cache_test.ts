import assert from "node:assert/strict";
import { EntryCache } from "../../../src/wal/entry_cache.ts";
import { entriesOf, entryAt } from "../../sim/wal_model.ts";

function cacheOf(until: number, releasedBytesMax = 0): EntryCache {
  const cache = new EntryCache(2, releasedBytesMax);
  for (const entry of entriesOf(2, until, 1)) cache.append(entry);
  return cache;
}

function indexes(cache: EntryCache): number[] {
  return cache.slice(cache.from, cache.until).map(({ index }) => index);
}

Deno.test("EntryCache.append() replaces a tail", () => {
  const cache = cacheOf(8);
  cache.append(entryAt(5, 2));
  assert.deepEqual(indexes(cache), [2, 3, 4, 5]);
  assert.equal(cache.at(5).term, 2);
  assert.equal(cache.until, 6);
});

Deno.test("EntryCache.append() starts below what it held", () => {
  const cache = cacheOf(8);
  cache.release(7);
  cache.append(entryAt(3, 2));
  assert.deepEqual(indexes(cache), [3]);
});

Deno.test("EntryCache.release() keeps what is not applied", () => {
  const cache = cacheOf(9);
  cache.release(5);
  assert.deepEqual(indexes(cache), [6, 7, 8]);
  cache.release(3);
  assert.deepEqual(indexes(cache), [6, 7, 8]);
});

Deno.test("EntryCache.release() keeps released entries within its budget", () => {
  const cache = cacheOf(9, 300);
  cache.release(8);
  assert.deepEqual(indexes(cache), [7, 8]);
});

Deno.test("EntryCache.forget() drops whatever the budget", () => {
  const cache = cacheOf(9, 10_000);
  cache.forget(6);
  assert.deepEqual(indexes(cache), [7, 8]);
  cache.forget(20);
  assert.equal(cache.from, cache.until);
});

Deno.test("EntryCache.restart() begins behind a checkpoint", () => {
  const cache = cacheOf(9);
  cache.restart(41);
  assert.equal(cache.from, 41);
  cache.append(entryAt(41, 3));
  assert.deepEqual(indexes(cache), [41]);
});

Deno.test("EntryCache gives memory back over a long run", () => {
  const cache = new EntryCache(1, 0);
  for (let index = 1; index <= 10_000; index += 1) {
    cache.append(entryAt(index, 1, 1));
    if (index % 10 === 0) cache.release(index - 5);
  }
  assert.deepEqual(indexes(cache), [9996, 9997, 9998, 9999, 10_000]);
});

Deno.test("EntryCache.bound() drops the oldest, prepend() puts them back", () => {
  const cache = cacheOf(9, 10_000);
  cache.bound(300);
  assert.deepEqual(indexes(cache), [7, 8]);
  cache.prepend(entriesOf(4, 7, 1));
  cache.prepend([]);
  assert.deepEqual(indexes(cache), [4, 5, 6, 7, 8]);
  assert.throws(() => cache.prepend(entriesOf(2, 3, 1)));
  cache.bound(0);
  assert.equal(cache.from, 9);
});
