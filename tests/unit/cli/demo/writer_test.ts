import { deepEqual, equal, fail, match, ok } from "node:assert/strict";
import { DEMO_RECORDS, DemoWriter } from "../../../../src/cli/demo/writer.ts";
import { ServerUnreachableError } from "../../../../src/kvconnect/errors.ts";
import { ACCESS_TOKEN, Fixture } from "../../kvconnect/fixture.ts";

const URLS = ["http://n1.test:4512", "http://n2.test:4512"];
const STEP_MS = 50;
const STEPS_MAX = 2_000;

/** A writer, and members that it asks: all have the same records. */
class Trial {
  readonly fixture = new Fixture();
  readonly down = new Set<string>();
  readonly asked = new Map<string, number>();
  readonly writer = new DemoWriter({
    urls: URLS,
    accessToken: ACCESS_TOKEN,
    canary: "canary-0123abcd",
    clock: this.fixture.clock,
    http: { fetch: (request) => this.#fetch(request) },
  });

  /** Lets time pass until `isSo`. */
  async until(isSo: () => boolean): Promise<void> {
    for (let i = 0; i < STEPS_MAX; i += 1) {
      if (isSo()) return;
      this.fixture.clock.advance(STEP_MS);
      await new Promise((done) => setTimeout(done));
    }
    fail("it did not come to this");
  }

  async stop(): Promise<void> {
    let isStopped = false;
    const stop = this.writer.stop().then(() => {
      isStopped = true;
    });
    await this.until(() => isStopped);
    await stop;
  }

  async #fetch(request: Request): Promise<Response> {
    const { hostname, origin } = new URL(request.url);
    if (this.down.has(hostname)) throw new ServerUnreachableError(origin);
    this.asked.set(hostname, (this.asked.get(hostname) ?? 0) + 1);
    return await this.fixture.send(request);
  }
}

Deno.test("all records are written first, then one after the other", async () => {
  const trial = new Trial();
  const { writer, fixture: { node } } = trial;
  await writer.start();
  equal(node.writes.flatMap(({ changes }) => changes).length, DEMO_RECORDS);
  const first = writer.counts.count;
  await trial.until(() => writer.counts.count >= first + 3);
  await trial.stop();
  const { count, failed, readBack, wrong } = writer.counts;
  deepEqual([failed, wrong], [0, 0]);
  ok(readBack >= 3);
  equal(node.writes.length, count);
  for (const { changes } of node.writes) {
    for (const change of changes) {
      if (change.kind !== "set") fail("not a set");
      // V8's header, the length of the text, and the text.
      const { data, encoding } = change.value;
      deepEqual([encoding, ...data.subarray(0, 3)], [1, 0xff, 0x0f, 0x22]);
      equal(data[3], data.length - 4);
      match(
        new TextDecoder().decode(data.subarray(4)),
        /^visible canary-0123abcd, record \d{6} as of write \d{6}$/,
      );
    }
  }
  equal(trial.fixture.clock.timers, 0);
});

Deno.test("another member is asked when one is down", async () => {
  const trial = new Trial();
  trial.down.add("n1.test");
  await trial.writer.start();
  const first = trial.writer.counts.count;
  await trial.until(() => trial.writer.counts.count >= first + 4);
  await trial.stop();
  equal(trial.writer.counts.failed, 0);
  deepEqual([...trial.asked.keys()], ["n2.test"]);
});

Deno.test("an outage is waited out, and counted when it is long", async () => {
  const trial = new Trial();
  const { writer, down } = trial;
  await writer.start();
  for (const name of ["n1.test", "n2.test"]) down.add(name);
  await trial.until(() => writer.counts.failed > 0);
  ok(trial.fixture.clock.monotonicMs() > 15_000);
  down.clear();
  const { count, failed } = writer.counts;
  await trial.until(() => writer.counts.count > count);
  await trial.stop();
  ok(writer.counts.failed <= failed + 1);
});

Deno.test("a value that is another one is counted as wrong", async () => {
  const trial = new Trial();
  const { writer, fixture } = trial;
  await writer.start();
  // Somebody empties the database.
  const { database = "", changes: all = [] } = fixture.node.writes[0] ?? {};
  const keys = fixture.node.writes.flatMap(({ changes }) => changes)
    .map(({ key }) => key);
  ok(all.length > 0);
  const changes = keys.map((key) => ({ kind: "delete", key }) as const);
  await fixture.node.write({ database, checks: [], changes });
  await trial.until(() => writer.counts.wrong > 0);
  await trial.stop();
});

Deno.test("a writer stops in an outage, and calls nothing a failure", async () => {
  const trial = new Trial();
  await trial.writer.start();
  for (const name of ["n1.test", "n2.test"]) trial.down.add(name);
  await trial.stop();
  equal(trial.writer.counts.failed, 0);
});
