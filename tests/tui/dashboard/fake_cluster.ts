import assert from "node:assert/strict";
import type {
  AdminClient,
  ClusterRewriteProgress,
  StatusEvent,
} from "../../../src/admin/client.ts";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import type { Clock, Timer } from "../../../src/io/clock.ts";
import { settle } from "../render.ts";
import { encryptionOf, eventOf, vitalsAt } from "./seen_cluster.ts";

/** Time that stands still until it is told to go on. */
export class HandClock implements Clock {
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

/** A cluster that says what a test has it say. */
export class FakeCluster {
  readonly calls = { vitals: 0, encryption: 0 };
  readonly #rewrite: ClusterRewriteProgress | null;
  #tell = Promise.withResolvers<StatusEvent | Error>();
  vitals: () => ReturnType<AdminClient["vitalsOfMembers"]>;

  /** Of a rewrite, `null` for a leader that does not speak. */
  constructor(
    rewrite: ClusterRewriteProgress | null = { job: null, members: [] },
    vitals = () => Promise.resolve([vitalsAt("n1", this.calls.vitals)]),
  ) {
    this.#rewrite = rewrite;
    this.vitals = vitals;
  }

  async say(event: StatusEvent | Error): Promise<void> {
    this.#tell.resolve(event);
    await settle();
  }

  client(): AdminClient {
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
