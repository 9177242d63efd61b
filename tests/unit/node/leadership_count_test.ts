import { deepEqual, equal } from "node:assert/strict";
import { LeadershipCount } from "../../../src/node/leadership_count.ts";
import { NO_MEMBER } from "../../../src/raft/types.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { SimLog } from "../../sim/io/log.ts";

function counted() {
  const clock = new SimClock();
  const log = new SimLog(clock);
  return { clock, log, count: new LeadershipCount(log, clock) };
}

Deno.test("LeadershipCount counts leaders and elections", () => {
  const { count, log } = counted();
  count.onLeadership({ role: "candidate", lead: NO_MEMBER, term: 1 }, "");
  count.onLeadership({ role: "leader", lead: 1, term: 1 }, "n1");
  count.onLeadership({ role: "follower", lead: NO_MEMBER, term: 2 }, "");
  count.onLeadership({ role: "follower", lead: 2, term: 2 }, "n2");
  const { leaderMs: _, ...counters } = count.counters(5);
  deepEqual(counters, { proposals: 5, elections: 1, leaderChanges: 1 });
  equal(log.named("leadership_changed").length, 4);
});

Deno.test("LeadershipCount tells for how long a leader is known", async () => {
  const { count, clock } = counted();
  const leaderMs = () => count.counters(0).leaderMs;
  equal(leaderMs(), 0);
  count.onLeadership({ role: "follower", lead: 2, term: 1 }, "n2");
  await clock.run(400);
  equal(leaderMs(), 400);
  // What else is told of the same term changes nothing.
  count.onLeadership({ role: "follower", lead: 2, term: 1 }, "n2");
  equal(leaderMs(), 400);
  count.onLeadership({ role: "follower", lead: NO_MEMBER, term: 2 }, "");
  await clock.run(50);
  equal(leaderMs(), 0);
  // The same one, elected anew.
  count.onLeadership({ role: "follower", lead: 2, term: 2 }, "n2");
  await clock.run(30);
  equal(leaderMs(), 30);
  count.onLeadership({ role: "follower", lead: 2, term: 3 }, "n2");
  equal(leaderMs(), 0);
});
