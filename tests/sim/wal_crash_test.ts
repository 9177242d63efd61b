/*
 * Goal: whatever moment the machine dies in, the log opens again with all that
 * was acknowledged, and with nothing that was not asked for.
 * Method: run a script on the simulated disk and crash in every operation that
 * changes the disk, once per kind of loss; also while the log recovers. Then
 * compare with the models of the script's prefixes: the log must equal one
 * between what was acknowledged and what was asked.
 */
import assert from "node:assert/strict";
import { Wal } from "../../src/wal/wal.ts";
import { CRASH_KINDS, type CrashKind, SimCrash, SimDisk } from "./io/disk.ts";
import {
  batchOf,
  entryAt,
  metadataAt,
  modelsOf,
  modelText,
  observed,
  runStep,
  SCRIPT,
  simWalOptions,
} from "./wal_model.ts";

const FOUNDING = metadataAt(1, 1);
const MODELS = modelsOf(FOUNDING, SCRIPT);
const TEXTS = MODELS.map(modelText);

interface Progress {
  created: boolean;
  acked: number;
  asked: number;
}

/** Runs the script, `width` steps at a time, until it ends or the disk dies. */
async function runScript(
  disk: SimDisk,
  width: number,
  progress: Progress,
): Promise<void> {
  const founding = { metadata: FOUNDING };
  const wal = await Wal.create(simWalOptions(disk), founding);
  progress.created = true;
  for (let at = 0; at < SCRIPT.length; at += width) {
    const steps = SCRIPT.slice(at, at + width);
    progress.asked += steps.length;
    const done = steps.map((step) => runStep(wal, step));
    await Promise.allSettled(done);
    for (const step of done) {
      await step;
      progress.acked += 1;
    }
  }
  await wal.close();
}

async function settle(task: Promise<unknown>): Promise<boolean> {
  try {
    await task;
    return true;
  } catch (error) {
    if (isCrash(error)) return false;
    throw error;
  }
}

function isCrash(error: unknown): boolean {
  if (error instanceof SimCrash) return true;
  return error instanceof Error && error.cause !== undefined &&
    isCrash(error.cause);
}

/** Checks that `disk` opens to a model the crash allows; returns which. */
async function checkReopened(
  disk: SimDisk,
  progress: Progress,
): Promise<number> {
  const wal = await Wal.open(simWalOptions(disk));
  const text = modelText(await observed(wal));
  const position = TEXTS.indexOf(text, progress.acked);
  assert.ok(
    position !== -1 && position <= progress.asked,
    `between ${progress.acked} and ${progress.asked}, got ${position} ${text}`,
  );
  if (wal.tailSuspect !== null) {
    assert.ok(wal.tailSuspect > wal.storage.lastIndex());
  }
  const next = wal.storage.lastIndex() + 1;
  const { hardState } = wal.storage.initialState();
  const entry = entryAt(next, hardState.term + 1, 40);
  const raised = { ...hardState, vote: 0, term: hardState.term + 1 };
  await wal.append(batchOf([entry], raised));
  await wal.close();
  const again = await Wal.open(simWalOptions(disk));
  assert.equal(again.tailSuspect, null);
  const after = await observed(again);
  assert.deepEqual(after.entries.at(-1), entry);
  assert.deepEqual(after.hardState, raised);
  await again.close();
  return position;
}

async function crashRun(
  seed: number,
  kind: CrashKind,
  crashAt: number,
  width: number,
): Promise<void> {
  const disk = new SimDisk({ seed });
  disk.crashAt = crashAt;
  const progress = { created: false, acked: 0, asked: 0 };
  const finished = await settle(runScript(disk, width, progress));
  disk.restart(kind);
  if (!progress.created && !await Wal.exists({ disk, dir: "raft" })) {
    const founding = { metadata: FOUNDING };
    await (await Wal.create(simWalOptions(disk), founding)).close();
  }
  // A second crash, while the log recovers from the first.
  disk.crashAt = disk.operations + 1 + seed % 9;
  const opened = settle(Wal.open(simWalOptions(disk)));
  if (await opened) disk.crashAt = Infinity;
  disk.restart(kind);
  const position = await checkReopened(disk, progress);
  if (finished) assert.equal(position, SCRIPT.length);
}

async function operationCount(width: number): Promise<number> {
  const disk = new SimDisk({ seed: 0 });
  await runScript(disk, width, { created: false, acked: 0, asked: 0 });
  return disk.operations;
}

for (const kind of CRASH_KINDS) {
  for (const width of [1, 4]) {
    Deno.test(`Wal survives a crash anywhere: ${kind}, ${width} at a time`, async () => {
      const count = await operationCount(width);
      for (let crashAt = 1; crashAt <= count + 1; crashAt += 1) {
        const seed = crashAt * 7 + width;
        try {
          await crashRun(seed, kind, crashAt, width);
        } catch (cause) {
          throw new Error(`seed ${seed}, crash at ${crashAt}`, { cause });
        }
      }
    });
  }
}

/** A log that ran the script and was closed, on a disk of its own. */
async function closedLog(seed: number): Promise<SimDisk> {
  const disk = new SimDisk({ seed });
  await runScript(disk, 1, { created: false, acked: 0, asked: 0 });
  return disk.clone(seed);
}

for (const kind of CRASH_KINDS) {
  Deno.test(`Wal survives a crash after a clean start: ${kind}`, async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const disk = await closedLog(seed);
      disk.crashAt = 1 + seed;
      let acked = 0;
      await settle((async () => {
        const wal = await Wal.open(simWalOptions(disk));
        const next = wal.storage.lastIndex() + 1;
        for (let index = next; index < next + 9; index += 1) {
          await wal.append(batchOf([entryAt(index, 6, 400)]));
          acked = index;
        }
      })());
      disk.restart(kind);
      const wal = await Wal.open(simWalOptions(disk));
      assert.ok(wal.storage.lastIndex() >= acked, `seed ${seed}`);
      await wal.close();
    }
  });
}
