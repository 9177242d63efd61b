import assert from "node:assert/strict";
import type { LogHold } from "../../../src/node/checkpoint/port.ts";
import { Compaction } from "../../../src/node/compaction.ts";
import { EMPTY_STATE, type StoreState } from "../../../src/store/meta.ts";
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

/** The store as it is durable at `index`. */
function durableAt(index: number): StoreState {
  const applied = { index, term: 1 };
  return { ...EMPTY_STATE, applied, confState: ONE_VOTER };
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
  const append = async () => {
    const from = wal.storage.lastIndex() + 1;
    const last = from + ENTRIES - 1;
    const entries = entriesOf(from, from + ENTRIES, 1, ENTRY_BYTES);
    await wal.append(batchOf(entries, { term: 1, vote: 1, commit: last }));
    return last;
  };
  const round = async () => {
    const last = await append();
    compaction.consider(durableAt(last), (error) => {
      throw error;
    });
    await compaction.settled();
    return wal.storage.firstIndex();
  };
  return { wal, hold, append, round, compaction };
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

Deno.test("Compaction.forget() lets all files go that hold an entry, held or not", async () => {
  const { wal, hold, round, compaction } = await openLog(Infinity);
  hold.index = 3;
  await round();
  await round();
  assert.equal(wal.storage.lastIndex(), 21);
  await compaction.forget(8, () => Promise.resolve(durableAt(21)));
  // They are in one file with the last entry.
  assert.equal(wal.storage.firstIndex(), 22);
  await round();
  assert.deepEqual(hold.dropped, []);
  await wal.close();
});

Deno.test("Compaction.forget() waits until the store has what goes with them", async () => {
  const { wal, append, compaction } = await openLog(Infinity);
  await append();
  const taken: number[] = [];
  await compaction.forget(8, (isEnough) => {
    const enough = [7, 8, 9, 10, 11].find((index) =>
      isEnough(durableAt(index))
    );
    taken.push(enough ?? 0);
    return Promise.resolve(durableAt(enough ?? 0));
  });
  assert.deepEqual(taken, [8, 11]);
  assert.equal(wal.storage.firstIndex(), 12);
  await wal.close();
});

Deno.test("Compaction.forget() waits until the log follows a checkpoint that is the store", async () => {
  const { wal, append, compaction } = await openLog(Infinity);
  await append();
  const installed = durableAt(20);
  let asked = 0;
  await compaction.forget(8, async (isEnough) => {
    asked += 1;
    if (asked === 1) {
      assert.ok(!isEnough(installed), "the log ends at 11");
      await wal.append({
        ...batchOf([], { term: 1, vote: 1, commit: 20 }),
        snapshot: metadataAt(20, 1),
      });
    }
    return isEnough(installed) ? installed : null;
  });
  assert.equal(wal.storage.firstIndex(), 21);
  await wal.close();
});

Deno.test("Compaction.forget() that is given up keeps the log, and the next one works", async () => {
  const { wal, append, round, compaction } = await openLog(Infinity);
  await append();
  const before = wal.storage.firstIndex();
  await compaction.forget(8, () => Promise.resolve(null));
  await compaction.forget(
    8,
    (isEnough) => Promise.resolve([durableAt(9)].find(isEnough) ?? null),
  );
  assert.equal(wal.storage.firstIndex(), before);
  const fault = new Error("no store");
  const failing = () => Promise.reject(fault);
  await assert.rejects(compaction.forget(8, failing), fault);
  const until = () => Promise.resolve(durableAt(11));
  const both = [compaction.forget(8, until), compaction.forget(9, until)];
  await Promise.all(both);
  assert.equal(wal.storage.firstIndex(), 12);
  await round();
  await wal.close();
});
