import assert from "node:assert/strict";
import type { LogHold } from "../../../src/node/checkpoint/port.ts";
import { Compaction } from "../../../src/node/compaction.ts";
import { EMPTY_STATE } from "../../../src/store/meta.ts";
import { Wal } from "../../../src/wal/wal.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import {
  batchOf,
  entriesOf,
  metadataAt,
  ONE_VOTER,
  simWalOptions,
} from "../../sim/wal_model.ts";

const ENTRY_BYTES = 1_000;
const ENTRIES = 10;
const TRAILING = 5;

class FixedHold implements LogHold {
  index: number | null = null;
  readonly dropped: number[] = [];

  retainFrom(): number | null {
    return this.index;
  }

  drop(bytes: number): void {
    this.dropped.push(bytes);
    this.index = null;
  }
}

/** A log of entries from 2 on, compacted each time ten more are there. */
async function openLog(holdLogBytesMax: number) {
  const options = simWalOptions(new SimDisk({ seed: 1 }), [], 64_000);
  const wal = await Wal.create(options, { metadata: metadataAt(1, 1) });
  const hold = new FixedHold();
  const compaction = new Compaction(wal, {
    compactAfterBytes: ENTRIES * ENTRY_BYTES,
    trailingEntries: TRAILING,
    holdLogBytesMax,
  }, hold);
  const round = async () => {
    const from = wal.storage.lastIndex() + 1;
    const last = from + ENTRIES - 1;
    const entries = entriesOf(from, from + ENTRIES, 1, ENTRY_BYTES);
    await wal.append(batchOf(entries, { term: 1, vote: 1, commit: last }));
    const applied = { index: last, term: 1 };
    const state = { ...EMPTY_STATE, applied, confState: ONE_VOTER };
    compaction.consider(state, (error) => {
      throw error;
    });
    await compaction.settled();
    return wal.storage.firstIndex();
  };
  return { wal, hold, round };
}

Deno.test("Compaction keeps a tail when nothing is held", async () => {
  const { wal, round } = await openLog(Infinity);
  assert.equal(await round(), 11 - TRAILING + 1);
  assert.equal(await round(), 21 - TRAILING + 1);
  await wal.close();
});

Deno.test("Compaction keeps what is held until it is let go", async () => {
  const { wal, hold, round } = await openLog(Infinity);
  hold.index = 3;
  assert.equal(await round(), 4);
  assert.equal(await round(), 4);
  hold.index = 9;
  assert.equal(await round(), 10);
  // A hold inside the tail changes nothing.
  hold.index = 41;
  assert.equal(await round(), 41 - TRAILING + 1);
  hold.index = null;
  assert.equal(await round(), 51 - TRAILING + 1);
  assert.deepEqual(hold.dropped, []);
  await wal.close();
});

Deno.test("Compaction gives a hold up that keeps too much log", async () => {
  const most = 25 * ENTRY_BYTES;
  const { wal, hold, round } = await openLog(most);
  await round();
  // Ten entries lie behind it after this round, twenty after the next.
  hold.index = 11;
  assert.equal(await round(), 12);
  assert.equal(await round(), 12);
  assert.deepEqual(hold.dropped, []);
  assert.equal(await round(), 41 - TRAILING + 1);
  assert.equal(hold.dropped.length, 1);
  assert.ok((hold.dropped[0] ?? 0) > most);
  await wal.close();
});

Deno.test("Compaction counts what a rising hold keeps, not since when", async () => {
  const { wal, hold, round } = await openLog(25 * ENTRY_BYTES);
  for (let i = 0; i < 8; i += 1) {
    // Two rounds back each time: never more than the bound.
    hold.index = Math.max(1, wal.storage.lastIndex() - 2 * ENTRIES + 10);
    const held = hold.index;
    assert.equal(
      await round(),
      Math.min(held, wal.storage.lastIndex() - TRAILING) + 1,
    );
  }
  assert.deepEqual(hold.dropped, []);
  // One that rises more slowly than the log grows is given up in the end.
  let rounds = 0;
  for (let index = wal.storage.lastIndex(); hold.dropped.length === 0;) {
    hold.index = index;
    await round();
    index += 3;
    rounds += 1;
    assert.ok(rounds < 20);
  }
  assert.ok(rounds >= 3, `${rounds}`);
  await wal.close();
});
