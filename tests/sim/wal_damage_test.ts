/*
 * Goal: damage to bytes that were durable is never served and never silently
 * cut off.
 * Method: make a small log, damage every single bit-flip, zeroed sector and
 * missing file of it in turn, open, and compare: the same state, a refusal that
 * names the place, or a torn tail behind the last acknowledged frame.
 */
import assert from "node:assert/strict";
import { NodeError } from "../../src/base/error.ts";
import { DiskNoSpaceError } from "../../src/io/errors.ts";
import { WalDamagedError, WalWriteFailedError } from "../../src/wal/errors.ts";
import { Wal } from "../../src/wal/wal.ts";
import { SimDisk } from "./io/disk.ts";
import {
  batchOf,
  entriesOf,
  type LoggedEvent,
  metadataAt,
  modelText,
  observed,
  runStep,
  SCRIPT,
  simWalOptions,
} from "./wal_model.ts";

const FOUNDING = metadataAt(1, 1);
/** Steps of the script that leave several segments. */
const BEFORE_PURGE = 12;

/** The durable image of a log that was closed, or killed after its last ack. */
async function madeLog(clean: boolean, steps: number): Promise<SimDisk> {
  const disk = new SimDisk({ seed: 1 });
  const founding = { metadata: FOUNDING };
  const options = simWalOptions(disk);
  const wal = await Wal.create(options, founding);
  for (const step of SCRIPT.slice(0, steps)) await runStep(wal, step);
  if (clean) await wal.close();
  disk.crashAt = disk.operations + 1;
  disk.restart("none");
  return disk;
}

async function stateOf(disk: SimDisk) {
  const wal = await Wal.open(simWalOptions(disk));
  const text = modelText(await observed(wal));
  const { tailSuspect } = wal;
  await wal.close();
  return { text, tailSuspect };
}

type Outcome = "same" | "refused" | "torn";

async function outcomeOf(disk: SimDisk, healthy: string): Promise<Outcome> {
  try {
    const { text, tailSuspect } = await stateOf(disk);
    if (text === healthy) return tailSuspect === null ? "same" : "torn";
    throw new Error(`A different state was served: ${text}`);
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    assert.ok(error.remedy.length > 0, "a refusal says what to do");
    if (error instanceof WalDamagedError) {
      assert.match(error.message, /offset \d+ of "[0-9a-f-]+\.seg"/);
    }
    return "refused";
  }
}

/** Offset behind the last byte that is not zero. */
function usedBytes(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

async function countOutcomes(
  image: SimDisk,
  healthy: string,
): Promise<Record<Outcome, number>> {
  const counts = { same: 0, refused: 0, torn: 0 };
  for (const path of image.durablePaths()) {
    const bytes = image.durableBytes(path) ?? new Uint8Array(0);
    // A while into the zeros, and one byte near the end of them.
    const used = Math.min(bytes.length, usedBytes(bytes) + 48);
    for (let at = 0; at < used; at += 1) {
      const disk = image.clone(at);
      disk.flipBit(path, at * 8 + at % 8);
      try {
        counts[await outcomeOf(disk, healthy)] += 1;
      } catch (cause) {
        throw new Error(`${path}, byte ${at} of ${used}`, { cause });
      }
    }
  }
  return counts;
}

Deno.test("Wal.open() serves no flipped bit after a clean shutdown", async () => {
  const image = await madeLog(true, BEFORE_PURGE);
  const { text } = await stateOf(image.clone(1));
  const counts = await countOutcomes(image, text);
  assert.equal(counts.torn, 0, "a clean log has no torn tail");
  assert.ok(counts.refused > 1000 && counts.same > 0);
});

Deno.test("Wal.open() serves no flipped bit after a kill", async () => {
  const image = await madeLog(false, BEFORE_PURGE);
  const { text } = await stateOf(image.clone(1));
  const counts = await countOutcomes(image, text);
  assert.ok(counts.refused > 1000 && counts.same > 0);
  // Only bits in the zeros behind the last frame look like a torn write.
  assert.ok(counts.torn <= 48, `${counts.torn} looked torn`);
});

Deno.test("Wal.open() refuses a lost sector below the anchor", async () => {
  const image = await madeLog(true, BEFORE_PURGE);
  const { text } = await stateOf(image.clone(1));
  const segments = image.durablePaths().filter((path) => path.endsWith("seg"));
  let refusals = 0;
  for (const path of segments) {
    const used = usedBytes(image.durableBytes(path) ?? new Uint8Array(0));
    for (let at = 0; at < used; at += 512) {
      const disk = image.clone(at);
      disk.durableBytes(path)?.fill(0, at, at + 512);
      disk.restart("none");
      assert.equal(await outcomeOf(disk, text), "refused", `${path} ${at}`);
      refusals += 1;
    }
  }
  assert.ok(refusals > 10);
});

Deno.test("Wal.open() refuses a log that was cut short below the anchor", async () => {
  const image = await madeLog(true, BEFORE_PURGE);
  const { text } = await stateOf(image.clone(1));
  const path = image.durablePaths().findLast((name) => name.endsWith("seg"));
  assert.ok(path !== undefined);
  const used = usedBytes(image.durableBytes(path) ?? new Uint8Array(0));
  for (let at = 0; at < used; at += 8) {
    const disk = image.clone(at);
    disk.durableBytes(path)?.fill(0, at);
    disk.restart("none");
    assert.equal(await outcomeOf(disk, text), "refused", `cut at ${at}`);
  }
});

Deno.test("Wal.open() refuses when a segment is missing", async () => {
  const image = await madeLog(false, BEFORE_PURGE);
  const { text } = await stateOf(image.clone(1));
  const segments = image.durablePaths().filter((path) => path.endsWith("seg"));
  assert.ok(segments.length > 2);
  for (const path of segments) {
    const disk = image.clone(1);
    await disk.remove(path);
    assert.equal(await outcomeOf(disk, text), "refused", path);
  }
});

Deno.test("Wal.open() does without an anchor", async () => {
  const image = await madeLog(false, SCRIPT.length);
  const { text } = await stateOf(image.clone(1));
  await image.remove("raft/anchor");
  assert.equal(await outcomeOf(image, text), "same");
});

Deno.test("Wal.open() refuses damaged reads of a good disk", async () => {
  const image = await madeLog(false, BEFORE_PURGE);
  image.damageRead = (path, offset, bytes) => {
    const at = 700 - offset;
    if (path.endsWith(".seg") && at >= 0 && at < bytes.length) {
      bytes[at] = (bytes[at] ?? 0) ^ 4;
    }
  };
  await assert.rejects(Wal.open(simWalOptions(image)), NodeError);
});

Deno.test("Wal.open() leaves a damaged log as it is", async () => {
  const image = await madeLog(false, BEFORE_PURGE);
  const path = image.durablePaths().find((name) => name.endsWith(".seg")) ?? "";
  image.flipBit(path, 500 * 8);
  const before = image.clone(1);
  await assert.rejects(Wal.open(simWalOptions(image)), NodeError);
  assert.deepEqual(image.durablePaths(), before.durablePaths());
  for (const name of before.durablePaths()) {
    assert.deepEqual(image.durableBytes(name), before.durableBytes(name));
  }
});

Deno.test("Wal fails for good when a sync fails", async () => {
  let logFailures = 0;
  for (let nth = 1; nth <= 12; nth += 1) {
    const disk = new SimDisk({ seed: nth });
    const events: LoggedEvent[] = [];
    const options = simWalOptions(disk, events);
    const wal = await Wal.create(options, { metadata: FOUNDING });
    const entries = entriesOf(2, 20, 1, 300);
    let acked = 1;
    disk.failSyncAt = disk.syncs + nth;
    let failures = 0;
    for (const entry of entries) {
      const done = wal.append(batchOf([entry]));
      try {
        await done;
        assert.equal(failures, 0, "nothing is acknowledged after a failure");
        acked = entry.index;
      } catch (error) {
        assert.ok(error instanceof NodeError);
        assert.equal(error.code, "WAL_WRITE_FAILED");
        failures += 1;
      }
    }
    if (failures === 0) {
      // It hit the next segment's zeros, where nothing is promised yet.
      assert.ok(events.some(({ event }) => event === "wal_spare_failed"));
      await wal.close();
      continue;
    }
    logFailures += 1;
    const writes = disk.trace.length;
    await assert.rejects(wal.mark(metadataAt(1, 1)), NodeError);
    await wal.close();
    const touched = disk.trace.slice(writes).filter((line) =>
      line.startsWith("write") || line.startsWith("sync")
    );
    assert.deepEqual(touched, [], "nothing is written after a failure");
    disk.restart("all");
    const again = await Wal.open(options);
    assert.ok(again.storage.lastIndex() >= acked);
    await again.close();
  }
  assert.ok(logFailures > 4);
});

Deno.test("Wal fails with what is acknowledged when the disk is full", async () => {
  for (let spare = 0; spare < 6000; spare += 500) {
    const disk = new SimDisk({ seed: spare });
    const options = simWalOptions(disk);
    const wal = await Wal.create(options, { metadata: FOUNDING });
    let acked = 1;
    const full = async () => {
      for (const entry of entriesOf(2, 60, 1, 300)) {
        await wal.append(batchOf([entry]));
        acked = entry.index;
        if (entry.index === 8) disk.capacityBytes = usedOn(disk) + spare;
      }
    };
    await assert.rejects(full(), (error: unknown) => {
      assert.ok(error instanceof WalWriteFailedError);
      assert.ok(error.cause instanceof DiskNoSpaceError);
      return true;
    });
    await wal.close();
    disk.capacityBytes = Infinity;
    disk.restart("all");
    const again = await Wal.open(options);
    assert.equal(again.storage.lastIndex(), acked);
    await again.append(batchOf(entriesOf(acked + 1, 60, 1, 300)));
    await again.close();
  }
});

function usedOn(disk: SimDisk): number {
  return disk.durablePaths().reduce(
    (sum, path) => sum + (disk.durableBytes(path)?.length ?? 0),
    0,
  );
}
