import assert from "node:assert/strict";
import type {
  AdminClient,
  ClusterRewriteProgress,
  StatusEvent,
} from "../../../src/admin/client.ts";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import type { Clock, Timer } from "../../../src/io/clock.ts";
import { followCluster } from "../../../tui/dashboard/follow_cluster.ts";
import type { Seen } from "../../../tui/dashboard/seen.ts";
import { settle } from "../render.ts";
import {
  encryptionOf,
  eventOf,
  memberOf,
  seenOf,
  STATUS,
  statusOf,
  taskOf,
  vitalsAt,
} from "./seen_cluster.ts";

const INTERVAL_MS = 1_000;

/** Time that stands still until it is told to go on. */
class HandClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Map<() => void, number>();

  wallMs = () => this.#nowMs;
  monotonicMs = () => this.#nowMs;
  soon = (task: () => void) => queueMicrotask(task);

  after(delayMs: number, task: () => void): Timer {
    const once = () => task();
    this.#timers.set(once, this.#nowMs + delayMs);
    return { cancel: () => void this.#timers.delete(once) };
  }

  async pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const [task, atMs] of [...this.#timers]) {
      if (atMs > this.#nowMs) continue;
      this.#timers.delete(task);
      task();
    }
    await settle();
  }
}

interface Calls {
  vitals: number;
  encryption: number;
}

/** A cluster that says what a test has it say. */
class FakeCluster {
  readonly calls: Calls = { vitals: 0, encryption: 0 };
  readonly clock = new HandClock();
  readonly seen: Seen[] = [];
  readonly #stop = new AbortController();
  #tell = Promise.withResolvers<StatusEvent | Error>();
  readonly #rewrite: ClusterRewriteProgress | null;
  vitals: () => ReturnType<AdminClient["vitalsOfMembers"]>;
  readonly following: Promise<void>;

  /** Of a rewrite, `null` for a leader that does not speak. */
  constructor(
    rewrite: ClusterRewriteProgress | null = { job: null, members: [] },
    vitals = () => Promise.resolve([vitalsAt("n1", this.calls.vitals)]),
  ) {
    this.#rewrite = rewrite;
    this.vitals = vitals;
    this.following = followCluster({
      client: this.#client(),
      clock: this.clock,
      intervalMs: INTERVAL_MS,
      first: seenOf(),
      onSeen: (seen) => this.seen.push(seen),
      signal: this.#stop.signal,
    });
  }

  get last(): Seen {
    const last = this.seen.at(-1);
    assert.ok(last);
    return last;
  }

  async say(event: StatusEvent | Error): Promise<void> {
    this.#tell.resolve(event);
    await settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.following;
  }

  #client(): AdminClient {
    const { calls } = this;
    const client: Partial<AdminClient> = {
      watchStatus: (signal) => this.#watch(signal),
      vitalsOfMembers: () => {
        calls.vitals += 1;
        return this.vitals();
      },
      encryptionOfMembers: async () => {
        calls.encryption += 1;
        return [encryptionOf("n1")];
      },
      events: async () => [eventOf(90)],
      changeUnderWay: () => Promise.reject(new AdminUnreachableError(["n1"])),
      watchRewrite: (signal) => this.#watchRewrite(signal),
    };
    return client as AdminClient;
  }

  async *#watch(signal?: AbortSignal): AsyncGenerator<StatusEvent, void> {
    assert.ok(signal);
    const ended = Promise.withResolvers<null>();
    signal.addEventListener("abort", () => ended.resolve(null));
    while (!signal.aborted) {
      const event = await Promise.race([this.#tell.promise, ended.promise]);
      this.#tell = Promise.withResolvers();
      if (event instanceof Error) throw event;
      if (event !== null) yield event;
    }
  }

  async *#watchRewrite(
    signal?: AbortSignal,
  ): AsyncGenerator<ClusterRewriteProgress, void> {
    assert.ok(signal);
    if (this.#rewrite !== null) yield this.#rewrite;
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
}

Deno.test("followCluster() looks at once, and then once an interval", async () => {
  const cluster = new FakeCluster();
  await settle();
  assert.equal(cluster.seen.length, 1);
  assert.deepEqual(cluster.last.events, [eventOf(90)]);
  assert.deepEqual(cluster.last.encryption, [encryptionOf("n1")]);
  // What could not be asked is as it was.
  assert.equal(cluster.last.underWay, null);
  for (let look = 2; look <= 7; look += 1) {
    await cluster.clock.pass(INTERVAL_MS);
    assert.equal(cluster.seen.length, look);
  }
  assert.deepEqual(cluster.calls, { vitals: 7, encryption: 2 });
  assert.equal(cluster.last.history.cluster.length, 6);
  await cluster.stop();
});

Deno.test("followCluster() asks for everything while something is under way", async () => {
  const job = { id: 5n, bytesPerSecond: 0n, isPaused: false };
  const cluster = new FakeCluster({ job, members: [taskOf("n1")] });
  await settle();
  await cluster.clock.pass(INTERVAL_MS);
  await cluster.clock.pass(INTERVAL_MS);
  assert.deepEqual(cluster.calls, { vitals: 3, encryption: 3 });
  await cluster.stop();
});

Deno.test("followCluster() does not ask twice who takes his time", async () => {
  const cluster = new FakeCluster();
  await settle();
  const slow = Promise.withResolvers<never>();
  cluster.vitals = () => slow.promise;
  for (let round = 0; round < 3; round += 1) {
    await cluster.clock.pass(INTERVAL_MS);
  }
  assert.equal(cluster.calls.vitals, 2);
  // Time goes on for who looks at it.
  assert.equal(cluster.last.nowMs, 3 * INTERVAL_MS);
  cluster.vitals = () => Promise.resolve([vitalsAt("n1", 9)]);
  slow.reject(new AdminUnreachableError(["n1"]));
  await settle();
  await cluster.clock.pass(INTERVAL_MS);
  assert.equal(cluster.last.history.cluster.length, 1);
  await cluster.stop();
});

Deno.test("followCluster() waits for no leader that does not speak", async () => {
  const cluster = new FakeCluster(null);
  await settle();
  assert.equal(cluster.seen.length, 0);
  await cluster.clock.pass(2_000);
  assert.equal(cluster.last.rewrite, null);
  assert.deepEqual(cluster.last.events, [eventOf(90)]);
  await cluster.stop();
});

Deno.test("followCluster() shows news at once, and counts with the next look", async () => {
  const cluster = new FakeCluster();
  await settle();
  const applied = statusOf(memberOf("n1", { applied: 900_000n }));
  const alone = { ...applied, leader: STATUS.leader };
  await cluster.say({ kind: "status", status: alone });
  assert.equal(cluster.seen.length, 2);
  const later = statusOf(memberOf("n1", { applied: 900_001n }));
  await cluster.say({ kind: "status", status: later });
  assert.equal(cluster.seen.length, 2);
  await cluster.clock.pass(INTERVAL_MS);
  assert.equal(cluster.last.status.members[0]?.applied, 900_001n);
  await cluster.stop();
});

Deno.test("followCluster() tells since when nobody answers", async () => {
  const cluster = new FakeCluster();
  await settle();
  await cluster.clock.pass(INTERVAL_MS);
  await cluster.say({ kind: "silence", sinceMs: 700, reason: "it is silent" });
  assert.deepEqual([cluster.last.silence, cluster.last.atMs], [
    "it is silent",
    300,
  ]);
  await cluster.say({ kind: "status", status: STATUS });
  assert.deepEqual([cluster.last.silence, cluster.last.atMs], ["", 1_000]);
  await cluster.stop();
});

Deno.test("followCluster() ends when it is refused", async () => {
  const cluster = new FakeCluster();
  await settle();
  const refusal = assert.rejects(cluster.following, /Cannot reach/);
  await cluster.say(new AdminUnreachableError(["n1"]));
  await refusal;
});

Deno.test("followCluster() hides no bug", async () => {
  const bug = () => Promise.reject(new TypeError("a bug"));
  const cluster = new FakeCluster(undefined, bug);
  await assert.rejects(cluster.following, /a bug/);
});
