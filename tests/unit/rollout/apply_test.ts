import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  AdminOutcomeUnknownError,
  RemoteError,
} from "../../../src/admin/errors.ts";
import type { ClusterChangeUnderWay } from "../../../src/admin/client.ts";
import {
  type ApplyEvent,
  type ApplyOptions,
  applyRollout,
} from "../../../src/rollout/apply.ts";
import { NO_CHOICES } from "../../../src/rollout/snapshot.ts";
import { ClimbingCluster } from "./climbing_cluster.ts";
import { eagerClock } from "./eager_clock.ts";
import { JOB, NOW_MS } from "./snapshots.ts";

const DWELL_MS = 300_000;

async function applied(
  cluster: ClimbingCluster,
  given: Partial<ApplyOptions> = {},
): Promise<readonly ApplyEvent[]> {
  return await Array.fromAsync(applyRollout(cluster.client(), {
    clock: eagerClock(),
    choices: NO_CHOICES,
    confirm: "prod",
    until: "scrub",
    waitMs: 0,
    signal: new AbortController().signal,
    ...given,
  }));
}

function endOf(events: readonly ApplyEvent[]) {
  const last = events.at(-1);
  ok(last?.kind === "ended");
  return last.end;
}

function stepsOf(events: readonly ApplyEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.kind === "step" ? [event.step.id] : []
  );
}

Deno.test("applyRollout() takes every step once, in order", async () => {
  const cluster = new ClimbingCluster("capable");
  const events = await applied(cluster);
  equal(endOf(events).kind, "done");
  deepEqual(stepsOf(events), ["storage", "rewrite", "seal", "raft", "scrub"]);
  deepEqual(cluster.kinds, [
    "enable-storage-envelope",
    "start-rewrite",
    "seal-cleartext",
    "enable-raft-envelope",
    "scrub",
  ]);
});

Deno.test("applyRollout() goes on where the cluster stands", async () => {
  const cluster = new ClimbingCluster("locked");
  deepEqual(stepsOf(await applied(cluster)), ["raft", "scrub"]);
});

Deno.test("applyRollout() has nothing to do when all is done", async () => {
  const cluster = new ClimbingCluster("scrubbed");
  const events = await applied(cluster);
  deepEqual(events.map(({ kind }) => kind), ["plan", "ended"]);
  deepEqual(cluster.asked, []);
});

Deno.test("applyRollout() ends after the last step that is asked for", async () => {
  const cluster = new ClimbingCluster("capable");
  const events = await applied(cluster, { until: "rewrite" });
  equal(endOf(events).kind, "done");
  deepEqual(stepsOf(events), ["storage", "rewrite"]);
});

Deno.test("applyRollout() stops at the first failed check, with its remedy", async () => {
  const cluster = new ClimbingCluster("plain");
  const events = await applied(cluster);
  const end = endOf(events);
  ok(end.kind === "stopped");
  equal(end.step, "capability");
  equal(end.error.code, "ROLLOUT_STEP_BLOCKED");
  match(end.error.remedy, /--encryption-enabled/);
  deepEqual(cluster.asked, []);
});

Deno.test("applyRollout() stops at the first command that is refused", async () => {
  const cluster = new ClimbingCluster("locked");
  const error = new RemoteError("NODE_CUTOVER_ABORTED", "Cannot", "Again");
  cluster.fates["enable-raft-envelope"] = [error];
  const end = endOf(await applied(cluster));
  ok(end.kind === "stopped");
  equal(end.step, "raft");
  equal(end.error, error);
  deepEqual(cluster.kinds, ["enable-raft-envelope"]);
});

Deno.test("applyRollout() takes a step anew that went with its leader", async () => {
  const cluster = new ClimbingCluster("locked");
  const lost = () => new AdminOutcomeUnknownError("n2");
  cluster.isLeaderLost = true;
  cluster.fates["enable-raft-envelope"] = [lost()];
  equal(endOf(await applied(cluster)).kind, "done");
  deepEqual(cluster.kinds, [
    "enable-raft-envelope",
    "enable-raft-envelope",
    "scrub",
  ]);
});

Deno.test("applyRollout() takes no step anew whose end nobody knows", async () => {
  const cluster = new ClimbingCluster("locked");
  const lost = new AdminOutcomeUnknownError("n2");
  cluster.fates["enable-raft-envelope"] = [lost];
  const end = endOf(await applied(cluster));
  ok(end.kind === "stopped");
  equal(end.error, lost);
  deepEqual(cluster.kinds, ["enable-raft-envelope"]);
});

Deno.test("applyRollout() takes no step twice that does not come about", async () => {
  const cluster = new ClimbingCluster("capable");
  const stored = cluster.client();
  // Every member that is asked still shows the time before.
  const client = {
    ...stored,
    enableStorageEnvelope: async () => ({
      plan: { hash: "", steps: [] },
      ...{ changed: true, index: 950n, unreachable: [] },
    }),
  };
  const events = await Array.fromAsync(applyRollout(client, {
    ...{ clock: eagerClock(), choices: NO_CHOICES, confirm: "prod" },
    ...{ until: "scrub", waitMs: 0, signal: new AbortController().signal },
  }));
  const end = endOf(events);
  ok(end.kind === "stopped");
  equal(end.error.code, "ROLLOUT_STEP_UNFINISHED");
  deepEqual(stepsOf(events), ["storage"]);
});

Deno.test("applyRollout() dwells only for as long as it may", async () => {
  const choices = { ...NO_CHOICES, dwellUntilMs: NOW_MS + DWELL_MS };
  const short = new ClimbingCluster("stored");
  const end = endOf(await applied(short, { choices }));
  ok(end.kind === "stopped");
  match(end.error.message, /R02/);
  deepEqual(short.kinds, ["update-rollout", "start-rewrite"]);

  const long = new ClimbingCluster("stored");
  const events = await applied(long, { choices, waitMs: 2 * DWELL_MS });
  equal(endOf(events).kind, "done");
  ok(events.some(({ kind }) => kind === "dwelling"));
});

Deno.test("applyRollout() given again keeps the dwell that it began", async () => {
  const cluster = new ClimbingCluster("stored");
  const dwellUntilMs = BigInt(NOW_MS + DWELL_MS);
  cluster.given = { rollout: { rewrite: JOB, dwellUntilMs } };
  const choices = { ...NO_CHOICES, dwellUntilMs: NOW_MS + 2 * DWELL_MS };
  await applied(cluster, { choices });
  ok(!cluster.kinds.includes("update-rollout"));
});

Deno.test("applyRollout() follows a step that somebody else takes", async () => {
  const cluster = new ClimbingCluster("rewritten");
  const other: ClusterChangeUnderWay = {
    action: "seal-cleartext",
    members: [],
  };
  cluster.fates["seal-cleartext"] = [
    new RemoteError("NODE_CHANGE_UNDER_WAY", "Cannot", "Wait"),
  ];
  // Seen by the plan, then by who follows it.
  cluster.underWay = [other, other, () => void (cluster.rung = "locked")];
  const events = await applied(cluster);
  equal(endOf(events).kind, "done");
  ok(
    events.some((event) =>
      event.kind === "run" && event.event.kind === "answered" &&
      event.event.isOthers
    ),
  );
});

Deno.test("applyRollout() ends its look when it is told to", async () => {
  const cluster = new ClimbingCluster("rewritten");
  const end = new AbortController();
  cluster.fates["seal-cleartext"] = ["hangs"];
  const events: ApplyEvent[] = [];
  const options = { clock: eagerClock(), choices: NO_CHOICES, confirm: "prod" };
  const rest = { until: "scrub", waitMs: 0, signal: end.signal } as const;
  for await (
    const event of applyRollout(cluster.client(), { ...options, ...rest })
  ) {
    events.push(event);
    if (event.kind === "run") end.abort();
  }
  equal(endOf(events).kind, "interrupted");
});
