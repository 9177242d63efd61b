import assert from "node:assert/strict";
import type { KeyId } from "../../../../src/base/data_key.ts";
import type { RewriteJob } from "../../../../src/fsm/types.ts";
import { NotReadyError } from "../../../../src/node/errors.ts";
import { Rewriter } from "../../../../src/node/encryption/rewriter.ts";
import { EMPTY_STATE, type StoreState } from "../../../../src/store/meta.ts";
import type { RewriteOptions } from "../../../../src/store/rewrite.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimLog } from "../../../sim/io/log.ts";

const JOB: RewriteJob = { id: 9, bytesPerSecond: 0, isPaused: false };
const ROW_BYTES = 1_000;
const STEP_ROWS = 4;

/** A store of records that are no more than the keys they are under. */
function world(count: number) {
  const clock = new SimClock();
  const log = new SimLog(clock);
  const records: (KeyId | null)[] = new Array(count).fill(null);
  let state: StoreState = EMPTY_STATE;
  const steps: number[] = [];
  let fault: Error | null = null;
  const store = {
    get state() {
      return state;
    },
    countRecords: async () => {
      const sealed = new Map<KeyId, number>();
      for (const key of records) {
        if (key !== null) sealed.set(key, (sealed.get(key) ?? 0) + 1);
      }
      return {
        cleartext: records.filter((one) => one === null).length,
        sealed,
      };
    },
    rewriteStep: async ({ after, isStale }: RewriteOptions) => {
      if (fault !== null) throw fault;
      await new Promise<void>((resolve) => void clock.after(1, resolve));
      const from = after === null ? 0 : Number(after.row[0]);
      const until = Math.min(from + STEP_ROWS, records.length);
      let rewritten = 0;
      for (let i = from; i < until; i += 1) {
        if (!isStale(records[i] ?? null)) continue;
        records[i] = state.fsm.encryption.active.storage;
        rewritten += 1;
      }
      steps.push(rewritten);
      const next = until === records.length ? null : { row: [until] };
      const bytes = rewritten * ROW_BYTES;
      return { next, seen: until - from, rewritten, bytes };
    },
  };
  const rewriter = new Rewriter({
    ...{ clock, log, store },
    sidecarKey: () => 0,
    counted: () => {},
    failed: (error) => assert.fail(String(error)),
  });
  const set = (job: RewriteJob | null, key: KeyId, cutover = 5) => {
    const { fsm } = state;
    const active = { storage: key, raft: 2 };
    const encryption = {
      ...fsm.encryption,
      ...{ active, storageCutoverIndex: cutover },
    };
    const rollout = { ...fsm.rollout, rewrite: job };
    state = { ...state, fsm: { ...fsm, encryption, rollout } };
    rewriter.progressed();
  };
  rewriter.start();
  const breakWith = (error: Error | null) => void (fault = error);
  return { clock, log, records, rewriter, set, steps, breakWith };
}

Deno.test("a rewrite is done when a count finds nothing stale", async () => {
  const { clock, rewriter, set, records, log } = world(10);
  assert.equal(rewriter.progress().state, "waiting");
  set(JOB, 7, 0);
  await clock.run(100);
  assert.equal(rewriter.progress().state, "waiting", "before the cutover");
  set(JOB, 7);
  await clock.run(1);
  assert.equal(rewriter.progress().state, "running");
  await clock.run(100);
  const { state, done, total, bytes } = rewriter.progress();
  assert.deepEqual([state, done, total, bytes], ["done", 10, 10, 10_000]);
  assert.deepEqual(records, new Array(10).fill(7));
  assert.equal(log.named("rewrite_done").length, 1);
  await clock.until(rewriter.stop());
});

Deno.test("a rotation under way, and one afterwards, are followed", async () => {
  const { clock, rewriter, set, records } = world(20);
  set(JOB, 7);
  await clock.run(3);
  set(JOB, 8);
  await clock.run(200);
  assert.deepEqual(records, new Array(20).fill(8));
  assert.equal(rewriter.progress().state, "done");
  set(JOB, 9);
  assert.equal(rewriter.progress().state, "running");
  await clock.run(200);
  assert.deepEqual(records, new Array(20).fill(9));
  await clock.until(rewriter.stop());
});

Deno.test("under pause nothing is sealed, and it goes on from there", async () => {
  const { clock, rewriter, set, steps } = world(40);
  set(JOB, 7);
  await clock.run(2);
  set({ ...JOB, isPaused: true }, 7);
  await clock.run(10);
  const before = steps.length;
  await clock.run(10_000);
  assert.equal(steps.length, before);
  assert.equal(rewriter.progress().state, "paused");
  set(JOB, 7);
  await clock.run(100);
  assert.equal(rewriter.progress().state, "done");
  assert.deepEqual(steps, new Array(10).fill(STEP_ROWS), "each row once");
  await clock.until(rewriter.stop());
});

Deno.test("a rate is kept, and a new one is taken at once", async () => {
  const { clock, rewriter, set, records } = world(40);
  set({ ...JOB, bytesPerSecond: 4_000 }, 7);
  await clock.run(5_500);
  const done = records.filter((key) => key === 7).length;
  assert.ok(done >= 20 && done <= 28, `${done}`);
  set(JOB, 7);
  await clock.run(100);
  assert.equal(rewriter.progress().state, "done");
  await clock.until(rewriter.stop());
});

Deno.test("what fails is told and tried again", async () => {
  const { clock, rewriter, set, breakWith, log } = world(8);
  breakWith(new NotReadyError("a record is damaged"));
  set(JOB, 7);
  await clock.run(50);
  const { state, failure } = rewriter.progress();
  assert.equal(state, "failed");
  assert.match(failure, /a record is damaged/);
  assert.equal(log.named("rewrite_failed").length, 1);
  breakWith(null);
  await clock.run(60_100);
  assert.equal(rewriter.progress().state, "done");
  await clock.until(rewriter.stop());
});

Deno.test("what failed and is resumed runs, until it fails again", async () => {
  const { clock, rewriter, set, breakWith } = world(8);
  breakWith(new NotReadyError("a record is damaged"));
  set(JOB, 7);
  await clock.run(50);
  assert.equal(rewriter.progress().state, "failed");
  set({ ...JOB, isPaused: true }, 7);
  await clock.run(50);
  assert.equal(rewriter.progress().state, "paused");
  breakWith(null);
  set({ ...JOB }, 7);
  await clock.run(1);
  assert.equal(rewriter.progress().state, "running");
  await clock.run(100);
  assert.equal(rewriter.progress().state, "done");
  await clock.until(rewriter.stop());
});

Deno.test("during a rest there is no step", async () => {
  const { clock, rewriter, set, steps } = world(40);
  set(JOB, 7);
  await clock.run(2);
  const rested = rewriter.rest(async () => {
    const before = steps.length;
    await new Promise<void>((resolve) => void clock.after(500, resolve));
    assert.equal(steps.length, before);
  });
  await clock.until(rested);
  await clock.run(100);
  assert.equal(rewriter.progress().state, "done");
  await clock.until(rewriter.stop());
});
