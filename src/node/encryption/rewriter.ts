import { type KeyId, NO_KEY } from "../../base/data_key.ts";
import { NodeError } from "../../base/error.ts";
import type { RewriteJob } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import { Pace } from "../../store/checkpoint/pace.ts";
import type { RewriteCursor } from "../../store/rewrite.ts";
import type { RecordCounts } from "../encryption_port.ts";
import { failureOf } from "./tasks/runner.ts";
import { NO_FINDING, type TaskProgress } from "./tasks/task.ts";

export interface RewriterHost {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly store: Pick<BufferedStore, "state" | "rewriteStep" | "countRecords">;
  /** The storage key by the sidecar, which may be ahead of the store. */
  sidecarKey(): KeyId;
  /** How many records of each kind there are, just counted. */
  counted(counts: RecordCounts): void;
  /** This program is wrong. */
  failed(error: unknown): void;
}

/** A job, and the key that it leaves records under. */
interface Aim {
  readonly id: number;
  readonly key: KeyId;
}

interface Paced {
  readonly rate: number;
  readonly pace: Pace | null;
}

const NO_PACE: Paced = { rate: 0, pace: null };

/** One step stands in the way of commits for a few ms. */
const STEP_ROWS_MAX = 128;
const STEP_BYTES_MAX = 256 * 1024;
/** Under a rate, steps are to be this many a second, so that it is even. */
const STEPS_PER_SECOND = 4;
/** How long clients' writes get after a step that they came beside. */
const YIELD_MS_MAX = 50;
/** A job that failed on this member is tried again. */
const AGAIN_MS = 60_000;

/**
 * Carries the cluster's rewrite job out on one member: seals anew what is
 * cleartext or under a replaced key, until a count of all records finds none.
 *
 * 1. The job stays in force: when the key is rotated, all begins again.
 * 2. A process that starts, starts over: what is sealed already is skipped.
 * 3. Under pause it holds where it is; a new rate takes effect at once.
 */
export class Rewriter {
  readonly #host: RewriterHost;
  #running: Promise<void> | null = null;
  #isStopped = false;
  #news = Promise.withResolvers<void>();
  #seen: { readonly job: RewriteJob | null; readonly key: KeyId } | null = null;
  #done: Aim | null = null;
  #step: Promise<unknown> = Promise.resolve();
  #rest: Promise<void> | null = null;
  #failure: { readonly aim: Aim; readonly text: string } | null = null;
  /** Of the job under way. */
  #tally = { id: 0, done: 0, total: 0, bytes: 0, sinceMs: 0, untilMs: 0 };

  constructor(host: RewriterHost) {
    this.#host = host;
  }

  /** Begins to watch the job. */
  start(): void {
    this.#running ??= this.#run().catch((error) => this.#host.failed(error));
  }

  /** Entries were applied, or a checkpoint: the job may be another. */
  progressed(): void {
    const { rollout, encryption } = this.#host.store.state.fsm;
    const job = rollout.rewrite;
    const isOn = encryption.storageCutoverIndex > 0;
    const key = isOn ? encryption.active.storage : NO_KEY;
    if (this.#seen?.job === job && this.#seen.key === key) return;
    this.#seen = { job, key };
    this.#wake();
  }

  /** Lets the step under way end, then runs `task` while there is none. */
  async rest(task: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#rest = promise;
    try {
      await this.#step;
      await task();
    } finally {
      this.#rest = null;
      resolve();
    }
  }

  /** Resolves when no step is under way, for ever. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#running;
  }

  /** How the job gets on here. */
  progress(): TaskProgress {
    const { clock } = this.#host;
    const aim = this.#aim();
    const { id, done, total, bytes, sinceMs, untilMs } = this.#tally;
    const isOwn = aim !== null && aim.id === id;
    const state = this.#stateOf(aim);
    const ended = state === "done" ? untilMs : clock.monotonicMs();
    return {
      ...NO_FINDING,
      state,
      ...(isOwn
        ? { done, total, bytes, elapsedMs: Math.round(ended - sinceMs) }
        : { done: 0, total: 0, bytes: 0, elapsedMs: 0 }),
      failure: state === "failed" ? this.#failure?.text ?? "" : "",
    };
  }

  #stateOf(aim: Aim | null): TaskProgress["state"] {
    if (aim === null) return "waiting";
    if (isSame(this.#done, aim)) return "done";
    if (this.#job?.isPaused === true) return "paused";
    if (isSame(this.#failure?.aim ?? null, aim)) return "failed";
    return "running";
  }

  get #job(): RewriteJob | null {
    return this.#host.store.state.fsm.rollout.rewrite;
  }

  /** `null` while there is nothing that could be carried out. */
  #aim(): Aim | null {
    const { encryption } = this.#host.store.state.fsm;
    const key = encryption.active.storage;
    const job = this.#job;
    const isOn = encryption.storageCutoverIndex > 0 && key !== NO_KEY;
    return job === null || !isOn ? null : { id: job.id, key };
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const aim = this.#aim();
      if (aim === null || isSame(this.#done, aim)) await this.#news.promise;
      else if (this.#job?.isPaused === true) await this.#news.promise;
      else await this.#try(aim);
    }
  }

  async #try(aim: Aim): Promise<void> {
    const { clock, log } = this.#host;
    try {
      await this.#pass(aim);
      this.#failure = null;
    } catch (error) {
      if (this.#isStopped) return;
      if (!(error instanceof NodeError)) throw error;
      this.#failure = { aim, text: failureOf(error) };
      log.write("error", "rewrite_failed", {
        job: aim.id,
        code: error.code,
        reason: error.message,
      });
      const isNews = this.#news.promise.then(() => true);
      const again = Promise.withResolvers<boolean>();
      const timer = clock.after(AGAIN_MS, () => again.resolve(false));
      // Who resumes it, or asks for another, asks how that gets on.
      if (await Promise.race([again.promise, isNews])) this.#failure = null;
      timer.cancel();
    }
  }

  /** Counts, and seals what is stale anew; done when a count finds nothing. */
  async #pass(aim: Aim): Promise<void> {
    const { clock, log, store } = this.#host;
    if (this.#tally.id !== aim.id) {
      const nowMs = clock.monotonicMs();
      this.#tally = {
        ...{ id: aim.id, done: 0, total: 0, bytes: 0 },
        ...{ sinceMs: nowMs, untilMs: nowMs },
      };
    }
    const counts = await store.countRecords({
      isOver: () => !this.#isCurrent(aim),
    });
    if (counts === null || !this.#isCurrent(aim)) return;
    this.#host.counted(counts);
    const tally = this.#tally;
    const stale = this.#staleOf(counts);
    tally.total = tally.done + stale;
    if (stale > 0) return await this.#sealAll(aim);
    tally.untilMs = clock.monotonicMs();
    this.#done = aim;
    log.write("info", "rewrite_done", {
      job: aim.id,
      key: aim.key,
      records: tally.done,
      ms: Math.round(tally.untilMs - tally.sinceMs),
    });
  }

  #staleOf({ cleartext, sealed }: RecordCounts): number {
    let stale = cleartext;
    for (const [key, count] of sealed) if (this.#isStale(key)) stale += count;
    return stale;
  }

  /** A node may seal under the key that is yet to become active here. */
  #isStale(key: KeyId | null): boolean {
    const { active } = this.#host.store.state.fsm.encryption;
    return key !== active.storage && key !== this.#host.sidecarKey();
  }

  async #sealAll(aim: Aim): Promise<void> {
    const { store } = this.#host;
    const tally = this.#tally;
    let paced: Paced = NO_PACE;
    let after: RewriteCursor | null = null;
    do {
      while (this.#job?.isPaused === true && this.#isCurrent(aim)) {
        await this.#news.promise;
      }
      if (!this.#isCurrent(aim)) return;
      const rate = this.#job?.bytesPerSecond ?? 0;
      paced = this.#paced(paced, rate);
      while (this.#rest !== null) await this.#rest;
      const yields = this.#turn();
      const stepped = store.rewriteStep({
        after,
        rowsMax: STEP_ROWS_MAX,
        bytesMax: stepBytes(rate),
        isStale: (key) => this.#isStale(key),
      });
      // Whoever waits for its end does not care how it ends.
      this.#step = stepped.catch(() => {});
      const step = await stepped;
      tally.done += step.rewritten;
      tally.bytes += step.bytes;
      // What was counted may have grown: progress is never above its end.
      tally.total = Math.max(tally.total, tally.done);
      after = step.next;
      if (step.rewritten === 0) continue;
      await paced.pace?.spend(step.bytes, this.#news.promise);
      await yields();
    } while (after !== null);
  }

  #paced(prior: Paced, rate: number): Paced {
    if (prior.rate === rate) return prior;
    return rate === 0
      ? NO_PACE
      : { rate, pace: new Pace(this.#host.clock, rate) };
  }

  /** Gives commits as long as the step took, if there are any. */
  #turn(): () => Promise<void> {
    const { clock, store } = this.#host;
    const { index } = store.state.applied;
    const sinceMs = clock.monotonicMs();
    return async () => {
      if (store.state.applied.index === index || this.#isStopped) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const tookMs = clock.monotonicMs() - sinceMs;
      const timer = clock.after(Math.min(tookMs, YIELD_MS_MAX), resolve);
      await Promise.race([promise, this.#news.promise]);
      timer.cancel();
    };
  }

  #isCurrent(aim: Aim): boolean {
    return !this.#isStopped && isSame(this.#aim(), aim);
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}

function isSame(a: Aim | null, b: Aim | null): boolean {
  return a !== null && b !== null && a.id === b.id && a.key === b.key;
}

function stepBytes(rate: number): number {
  if (rate === 0) return STEP_BYTES_MAX;
  const even = Math.ceil(rate / STEPS_PER_SECOND);
  return Math.min(even, STEP_BYTES_MAX);
}
