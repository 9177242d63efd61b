import assert from "node:assert/strict";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import { LiveDashboard } from "../../../tui/dashboard/open.tsx";
import { renderScreen } from "../render.ts";
import type { TuiWorld } from "../../../tui/world.ts";
import { FakeCluster, HandClock } from "./fake_cluster.ts";
import { memberOf, seenOf, statusOf, vitalsAt } from "./seen_cluster.ts";

const INTERVAL_MS = 1_000;
const FIRST = seenOf();

async function openLive(cluster: FakeCluster, clock: HandClock) {
  const world = { client: cluster.client(), clock } as unknown as TuiWorld;
  return await renderScreen(
    <LiveDashboard world={world} first={FIRST} intervalMs={INTERVAL_MS} />,
  );
}

Deno.test("LiveDashboard shows what comes, look after look", async () => {
  const cluster = new FakeCluster();
  const clock = new HandClock();
  await using screen = await openLive(cluster, clock);
  assert.match(screen.frame(), /requests +-/);
  await clock.pass(INTERVAL_MS);
  await screen.until(/requests +1,000\/s/);
  const status = statusOf(memberOf("n1", { up: false, ready: false }));
  await cluster.say({ kind: "status", status });
  await screen.until("1 issue (i)");
  await cluster.say({
    kind: "silence",
    sinceMs: 3_000,
    reason: "it is silent",
  });
  await screen.until("NO ANSWER for 3 s");
});

Deno.test("LiveDashboard draws nothing while its frame stays as it is", async () => {
  const cluster = new FakeCluster();
  const clock = new HandClock();
  await using screen = await openLive(cluster, clock);
  await clock.pass(INTERVAL_MS);
  cluster.vitals = () => Promise.resolve([vitalsAt("n1", 1)]);
  // Full courses of nothing look alike.
  for (let look = 0; look < 120; look += 1) await clock.pass(INTERVAL_MS);
  const { vitals } = cluster.calls;
  const { length } = screen.frames();
  for (let look = 0; look < 10; look += 1) await clock.pass(INTERVAL_MS);
  assert.equal(cluster.calls.vitals, vitals + 10);
  assert.equal(screen.frames().length, length);
  cluster.vitals = () => Promise.resolve([vitalsAt("n1", 2)]);
  await clock.pass(INTERVAL_MS);
  assert.equal(screen.frames().length, length + 1);
});

Deno.test("LiveDashboard ends by q, and looks no more", async () => {
  const cluster = new FakeCluster();
  const clock = new HandClock();
  const screen = await openLive(cluster, clock);
  await screen.press("q");
  assert.deepEqual(await screen.ended(), { exitCode: 0, report: [] });
  const { vitals } = cluster.calls;
  await clock.pass(INTERVAL_MS);
  assert.equal(cluster.calls.vitals, vitals);
});

Deno.test("LiveDashboard ends with what a member refused", async () => {
  const cluster = new FakeCluster();
  const screen = await openLive(cluster, new HandClock());
  const ended = assert.rejects(screen.ended(), /Cannot reach/);
  await cluster.say(new AdminUnreachableError(["n1"]));
  await ended;
  await screen.unmount();
});
