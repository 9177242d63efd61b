/*
 * The data plane over real sockets, driven by the client inside Deno: HTTP/2
 * without TLS, one connection per handle.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import type { Clock } from "../../src/io/clock.ts";
import { denoClock } from "../../src/io/deno/clock.ts";
import type { HttpHandler } from "../../src/io/http.ts";
import { ACCESS_TOKEN, Fixture } from "../unit/kvconnect/fixture.ts";

const WATCHES_MAX = 150;
const VALUE_MAX = 65_536;

const systemClock: Clock = denoClock();

interface Served {
  readonly url: string;
  readonly fixture: Fixture;
  /** Requests by path. */
  readonly counts: Map<string, number>;
  /** Stands before the server; may be replaced. */
  handler: HttpHandler;
}

async function serving(
  run: (served: Served) => Promise<void>,
  fixture = new Fixture({ clock: systemClock }),
): Promise<void> {
  const counts = new Map<string, number>();
  const http = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
    },
    (request, info) => {
      const { pathname } = new URL(request.url);
      counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
      return served.handler(request, info.remoteAddr);
    },
  );
  const served: Served = {
    url: `http://127.0.0.1:${http.addr.port}`,
    fixture,
    counts,
    handler: fixture.server.handle,
  };
  try {
    await run(served);
  } finally {
    fixture.server.stop();
    await http.shutdown();
  }
}

async function withKv(
  url: string,
  run: (kv: Deno.Kv) => Promise<void>,
  token = ACCESS_TOKEN,
): Promise<void> {
  Deno.env.set("DENO_KV_ACCESS_TOKEN", token);
  const kv = await Deno.openKv(url);
  try {
    await run(kv);
  } finally {
    kv.close();
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `in time: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function scenario(kv: Deno.Kv): Promise<void> {
  const first = await kv.set(["a", 1], { x: [1, "two"] });
  assert.ok(first.ok);
  const got = await kv.get(["a", 1]);
  assert.deepEqual(got.value, { x: [1, "two"] });
  assert.equal(got.versionstamp, first.versionstamp);
  const none = await kv.get(["a", 2]);
  assert.deepEqual([none.value, none.versionstamp], [null, null]);
  const lost = await kv.atomic()
    .check({ key: ["a", 1], versionstamp: null })
    .set(["a", 2], 2).commit();
  assert.equal(lost.ok, false);
  const won = await kv.atomic().check(got).delete(["a", 1])
    .sum(["n"], 5n).sum(["n"], 6n).max(["n"], 3n).min(["m"], 9n).commit();
  assert.ok(won.ok);
  assert.equal((await kv.get<Deno.KvU64>(["n"])).value?.value, 11n);
  await kv.set(["s", kv.commitVersionstamp()], "suffix");
  for (let i = 0; i < 7; i += 1) await kv.set(["l", i], new Uint8Array([i]));
  for (const reverse of [false, true]) {
    const options = { batchSize: 3, reverse };
    const seen = [];
    for await (const { key } of kv.list({ prefix: ["l"] }, options)) {
      seen.push(key[1]);
    }
    const ascending = [0, 1, 2, 3, 4, 5, 6];
    assert.deepEqual(seen, reverse ? ascending.reverse() : ascending);
  }
  const many = await kv.getMany([["l", 3], ["none"], ["m"]]);
  assert.deepEqual(many.map(({ versionstamp }) => versionstamp !== null), [
    true,
    false,
    true,
  ]);
  await assert.rejects(
    kv.atomic().set(["t"], 1).sum(["l", 1], 1n).commit(),
    /non-U64 value in the database/,
  );
  assert.equal((await kv.get(["t"])).value, null);
  const watch = kv.watch([["l", 0], ["w"]]).getReader();
  const initial = (await watch.read()).value!;
  assert.deepEqual(initial.map(({ value }) => value), [
    new Uint8Array([0]),
    null,
  ]);
  await kv.set(["w"], 1);
  const changed = (await watch.read()).value!;
  assert.deepEqual(changed.map(({ value }) => value), [
    new Uint8Array([0]),
    1,
  ]);
  await watch.cancel();
}

Deno.test("Deno.openKv() passes a scenario on protocol version 3", async () => {
  await serving(async ({ url, fixture }) => {
    await withKv(url, scenario);
    await withKv(`${url}/db/other`, scenario);
    await until(() => fixture.node.subscriptions === 0);
    assert.deepEqual(fixture.faults, []);
  });
});

Deno.test("Deno.openKv() passes a scenario on protocol version 2", async () => {
  await serving(async (served) => {
    const { handle } = served.fixture.server;
    served.handler = (request, remote) =>
      new URL(request.url).pathname !== "/" ? handle(request, remote) : handle(
        new Request(request.url, {
          method: "POST",
          headers: { authorization: `Bearer ${ACCESS_TOKEN}` },
          body: '{"supportedVersions":[1,2]}',
        }),
        remote,
      );
    await withKv(served.url, scenario);
  });
});

Deno.test("Deno.openKv() with a wrong token fails at once", async () => {
  await serving(async ({ url }) => {
    // Before 2.9 openKv() does not ask; the first call does.
    const attempt = withKv(url, async (kv) => {
      await kv.get(["a"]);
    }, "a-wrong-access-token");
    await assert.rejects(attempt, /Cannot accept this access token/);
  });
});

Deno.test("a list of 1000 values of 64 KiB comes whole in one reply", async () => {
  await serving(async ({ url, fixture, counts }) => {
    for (let i = 0; i < 1_000; i += 1) {
      await fixture.node.write({
        database: "",
        checks: [],
        changes: [{
          kind: "set",
          key: utf8(`\u0002a\0\u0002${1_000 + i}\0`),
          value: { data: new Uint8Array(VALUE_MAX), encoding: 3 },
          expireAtMs: 0,
        }],
      });
    }
    await withKv(url, async (kv) => {
      const list = kv.list({ prefix: ["a"] }, { batchSize: 1_000 });
      let bytes = 0;
      for await (const entry of list) {
        bytes += (entry.value as Uint8Array).length;
      }
      assert.equal(bytes, 1_000 * VALUE_MAX);
      assert.equal(counts.get("/v2/snapshot_read"), 2);
    });
  });
});

Deno.test("150 watches of a handle leave room for its other calls", async () => {
  await serving(async ({ url, fixture }) => {
    await withKv(url, async (kv) => {
      const readers = Array.from(
        { length: WATCHES_MAX },
        () => kv.watch([["w"]]).getReader(),
      );
      for (const reader of readers) {
        assert.equal((await reader.read()).value![0]?.value, null);
      }
      for (let i = 0; i < 10; i += 1) {
        const over = kv.watch([["w"]]).getReader();
        await assert.rejects(over.read(), /429|more than 150 watches/);
      }
      await kv.set(["g"], 1);
      const gets = Array.from({ length: 200 }, () => kv.get(["g"]));
      for (const { value } of await Promise.all(gets)) assert.equal(value, 1);
      await kv.set(["w"], 2);
      for (const reader of readers) {
        assert.equal((await reader.read()).value![0]?.value, 2);
      }
      await Promise.all(readers.map((reader) => reader.cancel()));
      await until(() => fixture.node.subscriptions === 0);
    });
  });
});

Deno.test("watches that nobody reads do not block the handle's gets", async () => {
  await serving(async ({ url, fixture }) => {
    await withKv(url, async (kv) => {
      const keys = Array.from({ length: 10 }, (_, i) => ["w", i]);
      for (const key of keys) await kv.set(key, new Uint8Array(60_000));
      const streams = Array.from({ length: 3 }, () => kv.watch(keys));
      await until(() => fixture.node.subscriptions === 3);
      for (let i = 0; i < 60; i += 1) {
        await kv.set(keys[i % 10]!, new Uint8Array(60_000).fill(i));
        await kv.get(["w", 0]);
      }
      // They hear the latest state, not sixty.
      for (const stream of streams) {
        let last = -1;
        for await (const [, , , , , , , , , tenth] of stream) {
          last = (tenth!.value as Uint8Array)[0]!;
          if (last === 59) break;
        }
        assert.equal(last, 59);
      }
      await until(() => fixture.node.subscriptions === 0);
    });
  });
});

/** Deno's client before 2.9.2 takes a 401 for final. */
const [major = 0, minor = 0, patch = 0] = Deno.version.deno.split(".")
  .map((part) => Number.parseInt(part));
const isRefreshing = major * 1e6 + minor * 1e3 + patch >= 2_009_002;

Deno.test({
  name: "a server of another cluster id is noticed and followed",
  ignore: !isRefreshing,
  fn: async () => {
    await serving(async (served) => {
      await withKv(served.url, async (kv) => {
        await kv.set(["a"], 1);
        const other = new Fixture({ clock: systemClock });
        other.node.clusterIdNow = new Uint8Array(16).fill(9);
        served.handler = other.server.handle;
        assert.equal((await kv.get(["a"])).value, null);
        await kv.set(["a"], 2);
        assert.equal((await kv.get(["a"])).value, 2);
        other.server.stop();
      });
    });
  },
});

Deno.test("a client whose clock is an hour ahead does not hammer", async () => {
  const clock = { ...systemClock, wallMs: () => Date.now() - 3_600_000 };
  const fixture = new Fixture({ clock });
  await serving(async ({ url, counts }) => {
    await withKv(url, async (kv) => {
      const end = Date.now() + 1_000;
      while (Date.now() < end) await kv.get(["a"]);
      const exchanges = counts.get("/")!;
      assert.ok(exchanges >= 3 && exchanges <= 13, `${exchanges} exchanges`);
    });
  }, fixture);
});

Deno.test("stop() lets the listener end beside open watches", async () => {
  const fixture = new Fixture({ clock: systemClock });
  await serving(async ({ url }) => {
    await withKv(url, async (kv) => {
      const reader = kv.watch([["a"]]).getReader();
      await reader.read();
      fixture.server.stop();
      assert.equal(fixture.node.subscriptions, 0);
      const readyz = await fetch(`${url}/readyz`);
      assert.equal(await readyz.text(), "not ready\n");
      assert.equal(readyz.status, 503);
      await reader.cancel();
    });
  }, fixture);
});
