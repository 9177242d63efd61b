/*
 * Goal: a cluster goes from cleartext to phase 2, and through a rotation of
 * both keys, while programs write and read and see nothing of it; a member that
 * is killed between steps or amid one holds nothing up for good.
 * Method: real nodes, the real commands, clients of both kinds. Once nobody
 * dies, and no client may see an error at all; once a random member is killed
 * between and amid all steps, and only clients of one that is away may. The
 * history is checked; at the end all members are in phase 2.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { print } from "../../tools/print.ts";
import { ClusterLoad } from "./cluster_load.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { CALM, PATIENT } from "./encryption_trial.ts";
import type { HistoryItem } from "./history.ts";
import { kekArgs, KekFiles } from "./kek_files.ts";
import { machineMs } from "./machine_clock.ts";
import { openKv } from "./open_kv.ts";
import {
  ENABLE_RAFT,
  ENABLE_STORAGE,
  NAMED,
  retire,
  REWRITE,
  Rollout,
  rotate,
  SCRUB,
  SEAL_CLEARTEXT,
  type Step,
} from "./rollout.ts";
import { until } from "./until.ts";

/** Rewritten for some seconds at SLOWLY. */
const RECORDS = 300;
const RECORD_BYTES = 8_000;
const SLOWLY = ["--rate", "400KiB"];
const WRITES = 10;
/** Around the cutover, and for as long before it. */
const WINDOW_MS = 1_500;
const PAUSE_MS_TARGET = 250;
const SAID_MS_MAX = 30_000;

async function withRollout(
  load: { readonly callers: number; readonly pauseMs: number },
  task: (rollout: Rollout, load: ClusterLoad) => Promise<void>,
): Promise<void> {
  await using files = await KekFiles.open();
  const kek = await files.make("kek");
  const place = () => ({ args: kekArgs(kek) });
  await withCluster(
    { args: [...PATIENT, ...NAMED], place },
    async (cluster) => {
      const rollout = new Rollout(cluster);
      await fill(cluster.url("n1"));
      await using programs = await ClusterLoad.start(cluster, load);
      await task(rollout, programs);
      rollout.encrypted.assertNoHalt();
      await rollout.encrypted.assertShowsNone([kek.bytes]);
    },
  );
}

/** Records of before, for the rewrite to have something to do. */
async function fill(url: string): Promise<void> {
  using kv = await openKv(url);
  const bytes = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  for (let from = 0; from < RECORDS; from += 20) {
    const keys = Array.from({ length: 20 }, (_, i) => ["before", from + i]);
    await Promise.all(keys.map((key) => kv.set(key, bytes)));
  }
}

/** Milliseconds that a call took which was under way within the span. */
function longestCall(
  history: readonly HistoryItem[],
  [fromMs, untilMs]: readonly [number, number],
): number {
  const spans = history.filter(({ invokeMs, returnMs }) =>
    invokeMs < untilMs && (returnMs ?? Infinity) > fromMs
  ).map(({ invokeMs, returnMs }) => (returnMs ?? untilMs) - invokeMs);
  return Math.max(0, ...spans);
}

/** For how long the gate was closed on the one that led, as it says itself. */
function gateMs({ outputs }: ClusterProcess): number | null {
  const events = outputs.flatMap(({ output }) => output.split("\n"))
    .filter((line) => line.includes('"event":"encryption_gate_opened"'))
    .map((line) => JSON.parse(line) as { why: string; ms: number })
    .filter(({ why }) => why === "sealed");
  return events.at(-1)?.ms ?? null;
}

/**
 * Enables the raft envelope; tells how long clients waited for it, which nobody
 * promises: the gate stays closed until the marker is applied.
 */
async function measuredCutover(
  rollout: Rollout,
  load: ClusterLoad,
): Promise<void> {
  const { cluster } = rollout;
  await load.progress(WRITES);
  const fromMs = machineMs();
  await rollout.take(ENABLE_RAFT);
  const untilMs = machineMs();
  const took = untilMs - fromMs + WINDOW_MS;
  // What is not written yet would look like a gap.
  while (machineMs() < fromMs + took) await load.progress(1);
  await load.progress(WRITES);
  const closedMs = await until(
    "a gate opened, and seals",
    SAID_MS_MAX,
    () => gateMs(cluster),
  );
  const { history } = load;
  const spans = {
    before: [fromMs - took, fromMs],
    cutover: [fromMs, fromMs + took],
  } as const;
  const callMs = longestCall(history, spans.cutover);
  const gap = load.longestGap(spans.cutover, cluster.names);
  print(
    `raft cutover: gate closed for ${closedMs} ms; longest call ` +
      `${callMs.toFixed(0)} ms (before: ` +
      `${longestCall(history, spans.before).toFixed(0)} ms); longest time ` +
      `without a write ${gap.toFixed(0)} ms (before: ` +
      `${load.longestGap(spans.before, cluster.names).toFixed(0)} ms); ` +
      `target ${PAUSE_MS_TARGET} ms`,
  );
}

Deno.test({
  name: "a whole rollout is not noticed by programs",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withRollout({ callers: 2, pauseMs: 40 }, async (rollout, load) => {
      const { encrypted } = rollout;
      await encrypted.change(...ENABLE_STORAGE);
      await rollout.take(REWRITE);
      await load.progress(WRITES);
      await rollout.allSealed();
      await encrypted.change(...SEAL_CLEARTEXT);
      await load.progress(WRITES);
      await measuredCutover(rollout, load);
      await encrypted.change(...SCRUB);
      await load.progress(WRITES);
      for (const purpose of ["storage", "raft"] as const) {
        await encrypted.change(...rotate(purpose));
        await load.progress(WRITES);
      }
      await rollout.take(REWRITE);
      const replaced = await rollout.replacedKeys();
      equal(replaced.length, 2);
      for (const id of replaced) await encrypted.change(...retire(id));
      await rollout.isOver();
      deepEqual(
        (await rollout.status()).retired.toSorted(),
        replaced.toSorted(),
      );
      await load.allGoOn();
      await load.verify();
      deepEqual(load.troubles("deno"), []);
      deepEqual(load.troubles("npm"), []);
    }),
});

/** From when to when a member was away, by `machineMs()`. */
interface Absence {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A rollout in which members die at any time. */
class RoughRollout {
  readonly rollout: Rollout;
  readonly load: ClusterLoad;
  readonly absences: Absence[] = [];
  /** How long the last command took that nothing came between. */
  #usualMs = 1_000;

  constructor(rollout: Rollout, load: ClusterLoad) {
    this.rollout = rollout;
    this.load = load;
  }

  /** Somebody dies and comes back before the step, and somebody amid it. */
  async take(step: Step): Promise<void> {
    const { rollout, load } = this;
    await this.killSome();
    await load.progress(WRITES);
    const startMs = performance.now();
    const given = rollout.give(step);
    await pause(Math.random() * this.#usualMs);
    await this.killSome();
    await given;
    await rollout.take(step);
    this.#usualMs = Math.min((performance.now() - startMs) / 2, 4_000);
    await load.progress(WRITES);
    print(`${step[0]}: done`);
  }

  /** `kill -9` of some member, which is started again at once. */
  async killSome(): Promise<void> {
    const { cluster } = this.rollout;
    const name = cluster.names[Math.floor(Math.random() * 3)]!;
    const fromMs = machineMs();
    await cluster.kill(name);
    await cluster.start(name);
    await cluster.agreed();
    this.absences.push({ name, fromMs, untilMs: machineMs() });
  }

  /** Errors of npm's clients whose own member was there all the time. */
  unexcused(): readonly HistoryItem[] {
    return this.load.troubles("npm").filter((item) =>
      !this.absences.some(({ name, fromMs, untilMs }) =>
        item.client.includes(`@${name}#`) && item.invokeMs < untilMs &&
        (item.returnMs ?? Infinity) > fromMs
      )
    );
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test({
  name: "a rollout goes through the death of any member at any time",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withRollout(CALM, async (rollout, load) => {
      const rough = new RoughRollout(rollout, load);
      await rough.take(ENABLE_STORAGE);
      await rough.take(["rewrite", ...SLOWLY]);
      await rough.killSome();
      await rough.take(["rewrite", "--pause"]);
      await rough.take(["rewrite", "--resume", "--rate", "0"]);
      await rough.take(REWRITE);
      await rollout.allSealed();
      await rough.take(SEAL_CLEARTEXT);
      await rough.take(ENABLE_RAFT);
      await rough.take(SCRUB);
      await rough.take(rotate("storage"));
      await rough.take(rotate("raft"));
      await rough.take(REWRITE);
      const replaced = await rollout.replacedKeys();
      ok(replaced.length >= 2, `${replaced}`);
      for (const id of replaced) await rough.take(retire(id));
      await rollout.isOver();
      deepEqual(await rollout.replacedKeys(), []);
      await load.allGoOn();
      await load.verify();
      print(
        `${rough.absences.length} deaths; given again for: ` +
          `${rollout.repeated.join(", ") || "nothing"}`,
      );
      deepEqual(load.troubles("deno"), []);
      deepEqual(rough.unexcused(), []);
    }),
});
