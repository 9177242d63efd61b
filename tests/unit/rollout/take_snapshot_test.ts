import { deepEqual, equal, rejects } from "node:assert/strict";
import { AdminNoLeaderError } from "../../../src/admin/errors.ts";
import {
  NO_CHOICES,
  type RolloutSnapshot,
} from "../../../src/rollout/snapshot.ts";
import type { StepId } from "../../../src/rollout/step.ts";
import {
  type SnapshotOptions,
  takeSnapshot,
} from "../../../src/rollout/take_snapshot.ts";
import { type FakeCluster, fakeCluster, stillClock } from "./fake_client.ts";
import { NOW_MS, type Rung, snapshotAt } from "./snapshots.ts";

const FULL: SnapshotOptions = {
  clock: stillClock(),
  choices: NO_CHOICES,
  previous: null,
  isFull: true,
};
const CHEAP: SnapshotOptions = { ...FULL, isFull: false };
const READS = [
  "encryption",
  "events",
  "rewrite",
  "rollout",
  "status",
  "under way",
  "vitals",
];

function clusterAt(rung: Rung): FakeCluster {
  const snapshot = snapshotAt(rung);
  return fakeCluster(() => snapshot);
}

Deno.test("takeSnapshot() has all that members and the leader say", async () => {
  const { client, calls } = clusterAt("capable");
  const snapshot = await takeSnapshot(client, FULL);
  const { rehearsal, ...rest } = snapshot;
  const { rehearsal: _, ...expected } = snapshotAt("capable");
  deepEqual(rest, expected);
  equal(rehearsal?.step, "storage");
  equal(
    rehearsal?.command,
    "sealkv encryption enable-storage-envelope --confirm prod",
  );
  deepEqual(calls.toSorted(), [...READS, "capabilities", "storage"].sort());
});

Deno.test("takeSnapshot() asks nothing of members together when it is cheap", async () => {
  const { client, calls } = clusterAt("capable");
  const previous = await takeSnapshot(client, FULL);
  calls.length = 0;
  const snapshot = await takeSnapshot(client, { ...CHEAP, previous });
  deepEqual(calls.toSorted(), READS);
  deepEqual(snapshot.capabilities, previous.capabilities);
  deepEqual(snapshot.rehearsal, previous.rehearsal);
});

Deno.test("takeSnapshot() carries no rehearsal over to the next term", async () => {
  let now = snapshotAt("capable");
  const { client } = fakeCluster(() => now);
  const previous = await takeSnapshot(client, FULL);
  now = { ...now, status: { ...now.status, term: 8n } };
  const snapshot = await takeSnapshot(client, { ...CHEAP, previous });
  equal(snapshot.rehearsal, null);
});

const LOST: readonly (readonly [string, Partial<RolloutSnapshot>])[] = [
  ["encryption", { members: [] }],
  ["capabilities", { capabilities: null }],
  ["rollout", { rollout: null }],
  ["rewrite", { rewrite: null }],
  ["under way", { underWay: null }],
  ["events", { events: [] }],
  ["vitals", { vitals: [] }],
];

for (const [call, lost] of LOST) {
  Deno.test(`takeSnapshot() does without an answer to "${call}"`, async () => {
    const { client, failing } = clusterAt("scrubbed");
    failing.add(call);
    const snapshot = await takeSnapshot(client, FULL);
    deepEqual({ ...snapshot, rehearsal: null }, {
      ...snapshotAt("scrubbed"),
      ...lost,
    });
  });
}

Deno.test("takeSnapshot() keeps the history that it had", async () => {
  const { client, failing } = clusterAt("scrubbed");
  const previous = await takeSnapshot(client, FULL);
  failing.add("events");
  const { events } = await takeSnapshot(client, { ...CHEAP, previous });
  deepEqual(events, previous.events);
});

Deno.test("takeSnapshot() waits for no leader to tell of the rewrite", async () => {
  const silent = snapshotAt("rewriting", { rewrite: null });
  const { client } = fakeCluster(() => silent);
  equal((await takeSnapshot(client, CHEAP)).rewrite, null);
});

Deno.test("takeSnapshot() fails when nobody answers", async () => {
  const { client, failing } = clusterAt("plain");
  failing.add("status");
  await rejects(takeSnapshot(client, FULL), AdminNoLeaderError);
});

Deno.test("takeSnapshot() keeps why the leader refuses a rehearsal", async () => {
  const { client, failing } = clusterAt("capable");
  failing.add("storage");
  const { rehearsal } = await takeSnapshot(client, FULL);
  equal(rehearsal?.outcome, null);
  equal(rehearsal?.refusal?.code, "ADMIN_NO_LEADER");
});

const REHEARSED: readonly (readonly [Rung, StepId, string | null])[] = [
  ["plain", "capability", null],
  ["capable", "storage", "storage"],
  ["stored", "rewrite", "start-rewrite 4096"],
  ["rewriting", "rewrite", "resume-rewrite 4096"],
  ["rewritten", "seal", "seal short-dwell"],
  ["locked", "raft", "raft short-dwell unrewritten"],
  ["sealed", "scrub", "scrub"],
  ["scrubbed", "rotate", "rotate storage"],
  ["scrubbed", "retire", null],
  ["rotated", "retire", "retire 11 short-dwell"],
];

for (const [rung, step, expected] of REHEARSED) {
  Deno.test(`takeSnapshot() rehearses ${step} when ${rung}`, async () => {
    const { client, calls } = clusterAt(rung);
    const snapshot = await takeSnapshot(client, {
      ...FULL,
      rehearse: step,
      choices: {
        accept: ["short-dwell", "unrewritten"],
        bytesPerSecond: 4_096,
        dwellUntilMs: 0,
      },
    });
    equal(snapshot.rehearsal?.step ?? null, expected === null ? null : step);
    equal(calls.includes(expected ?? ""), expected !== null);
  });
}

Deno.test("takeSnapshot() has the order of the status", async () => {
  const snapshot = snapshotAt("capable");
  const members = snapshot.members.toReversed();
  const { client } = fakeCluster(() => ({ ...snapshot, members }));
  const taken = await takeSnapshot(client, CHEAP);
  deepEqual(taken.members, snapshot.members);
  equal(taken.atMs, NOW_MS);
});
