import assert from "node:assert/strict";
import {
  type FailoverCluster,
  measureFailover,
} from "../../../src/bench/failover.ts";
import type { Client } from "../../../src/bench/load.ts";
import { SimClock } from "../../sim/io/clock.ts";

const ELECTION_MS = 300;
const WRITE_MS = 2;

/** What members do with writes while nobody leads. */
type Silence = "hang" | "refuse";

/** A cluster in virtual time whose leader moves on when killed. */
class FakeCluster implements FailoverCluster {
  readonly name = "fake";
  readonly members = 3;
  readonly events: string[] = [];
  readonly #clock: SimClock;
  readonly #silence: Silence;
  #leader = 0;
  #leaderFromMs = 0;

  constructor(clock: SimClock, silence: Silence) {
    this.#clock = clock;
    this.#silence = silence;
  }

  leader(): Promise<number> {
    return Promise.resolve(this.#leader);
  }

  kill(member: number): Promise<void> {
    this.events.push(`kill ${member}`);
    assert.equal(member, this.#leader);
    this.#leader = (member + 1) % this.members;
    this.#leaderFromMs = this.#clock.monotonicMs() + ELECTION_MS;
    return Promise.resolve();
  }

  revive(member: number): Promise<void> {
    this.events.push(`revive ${member}`);
    return Promise.resolve();
  }

  writer(member: number): Promise<Client> {
    const cut = Promise.withResolvers<never>();
    cut.promise.catch(() => {});
    this.events.push(`write ${member}`);
    return Promise.resolve({
      send: () => Promise.race([this.#write(), cut.promise]),
      close: () => cut.reject(new Error("closed")),
    });
  }

  async #write(): Promise<void> {
    await new Promise<void>((done) => this.#clock.after(WRITE_MS, done));
    if (this.#clock.monotonicMs() >= this.#leaderFromMs) return;
    if (this.#silence === "refuse") throw new Error("no leader");
    await new Promise(() => {});
  }
}

/** Runs `work` to its end, moving time on whenever nothing else happens. */
async function inVirtualTime<T>(clock: SimClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const finish = () => isDone = true;
  work.then(finish, finish);
  while (!isDone) {
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
    if (!isDone) clock.step();
  }
  return await work;
}

for (const silence of ["hang", "refuse"] as const) {
  Deno.test(`measureFailover() times the gap when members ${silence}`, async () => {
    const clock = new SimClock();
    const cluster = new FakeCluster(clock, silence);
    const options = { clusters: [cluster], clock, clients: 2, rounds: 3 };
    const report = await inVirtualTime(
      clock,
      measureFailover({ ...options, machine: "m" }),
    );
    const [rounds] = Object.values(report.samples ?? {});
    assert.equal(rounds?.length, 3);
    for (const ms of rounds ?? []) {
      assert.ok(ms >= ELECTION_MS && ms <= ELECTION_MS + 15, `${ms} ms`);
    }
    assert.equal(report.notes["fake, worst ms"], Math.max(...rounds ?? []));
    const fatal = cluster.events.filter((event) => !event.startsWith("write"));
    assert.deepEqual(
      fatal,
      [0, 1, 2].flatMap((member) => [
        `kill ${member}`,
        `revive ${member}`,
      ]),
    );
  });
}

Deno.test("measureFailover() asks survivors alone", async () => {
  const clock = new SimClock();
  const cluster = new FakeCluster(clock, "refuse");
  const options = { clusters: [cluster], clock, clients: 4, rounds: 1 };
  await inVirtualTime(clock, measureFailover({ ...options, machine: "m" }));
  assert.ok(cluster.events.includes("write 1"));
  assert.ok(cluster.events.includes("write 2"));
  assert.ok(!cluster.events.includes("write 0"));
});

Deno.test("measureFailover() fails when no write is answered before the kill", async () => {
  const clock = new SimClock();
  const cluster = new FakeCluster(clock, "refuse");
  const dead: FailoverCluster = {
    ...{ name: "dead", members: 3, leader: () => Promise.resolve(0) },
    ...{ kill: () => cluster.kill(0), revive: () => Promise.resolve() },
    writer: () => Promise.reject(new Error("unreachable")),
  };
  const options = { clusters: [dead], clock, clients: 1, rounds: 1 };
  await assert.rejects(
    inVirtualTime(clock, measureFailover({ ...options, machine: "m" })),
    /no write was answered before the kill/,
  );
});
