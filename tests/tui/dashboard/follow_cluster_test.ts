import assert from "node:assert/strict";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import { followCluster } from "../../../tui/dashboard/follow_cluster.ts";
import type { Seen } from "../../../tui/dashboard/seen.ts";
import { settle } from "../render.ts";
import { FakeCluster, HandClock } from "./fake_cluster.ts";
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

/** A cluster that is followed, and what was seen of it. */
class FollowedCluster extends FakeCluster {
  readonly clock = new HandClock();
  readonly seen: Seen[] = [];
  readonly following: Promise<void>;
  readonly #stop = new AbortController();

  constructor(...given: ConstructorParameters<typeof FakeCluster>) {
    super(...given);
    this.following = followCluster({
      client: this.client(),
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

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.following;
  }
}

Deno.test("followCluster() looks at once, and then once an interval", async () => {
  const cluster = new FollowedCluster();
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
  const cluster = new FollowedCluster({ job, members: [taskOf("n1")] });
  await settle();
  await cluster.clock.pass(INTERVAL_MS);
  await cluster.clock.pass(INTERVAL_MS);
  assert.deepEqual(cluster.calls, { vitals: 3, encryption: 3 });
  await cluster.stop();
});

Deno.test("followCluster() does not ask twice who takes his time", async () => {
  const cluster = new FollowedCluster();
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
  // No answer is a gap.
  assert.deepEqual(
    cluster.last.history.cluster.map((rates) => rates === null),
    [true, false],
  );
  await cluster.stop();
});

Deno.test("followCluster() waits for no leader that does not speak", async () => {
  const cluster = new FollowedCluster(null);
  await settle();
  assert.equal(cluster.seen.length, 0);
  await cluster.clock.pass(2_000);
  assert.equal(cluster.last.rewrite, null);
  assert.deepEqual(cluster.last.events, [eventOf(90)]);
  await cluster.stop();
});

Deno.test("followCluster() shows news at once, and counts with the next look", async () => {
  const cluster = new FollowedCluster();
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
  const cluster = new FollowedCluster();
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
  const cluster = new FollowedCluster();
  await settle();
  const refusal = assert.rejects(cluster.following, /Cannot reach/);
  await cluster.say(new AdminUnreachableError(["n1"]));
  await refusal;
});

Deno.test("followCluster() hides no bug", async () => {
  const bug = () => Promise.reject(new TypeError("a bug"));
  const cluster = new FollowedCluster(undefined, bug);
  await assert.rejects(cluster.following, /a bug/);
});
