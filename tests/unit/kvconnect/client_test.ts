import assert from "node:assert/strict";
import { concatBytes, utf8 } from "../../../src/base/bytes.ts";
import type { Change } from "../../../src/fsm/types.ts";
import { KvConnectClient } from "../../../src/kvconnect/client.ts";
import {
  encodeWatchFrame,
  keepAliveFrame,
} from "../../../src/kvconnect/encode_reply.ts";
import {
  ReplyMalformedError,
  ServerRefusedError,
  ServerUnreachableError,
} from "../../../src/kvconnect/errors.ts";
import { ACCESS_TOKEN, BASE, Fixture } from "./fixture.ts";

const KEY = utf8("\u0002a\0");
const RANGE = { start: KEY, end: utf8("\u0003"), limit: 9, reverse: false };

type Send = (request: Request) => Promise<Response>;

function clientOf(fixture: Fixture, send?: Send, accessToken = ACCESS_TOKEN) {
  return new KvConnectClient({
    url: `${BASE}/db/x`,
    accessToken,
    http: { fetch: send ?? ((request) => fixture.send(request)) },
    clock: fixture.clock,
  });
}

function u64(value: number): { data: Uint8Array; encoding: 2 } {
  return { data: Uint8Array.of(value, 0, 0, 0, 0, 0, 0, 0), encoding: 2 };
}

Deno.test("atomicWrite() sends every kind of change as it is", async () => {
  const fixture = new Fixture();
  const value = { data: utf8("x"), encoding: 1 } as const;
  const changes: Change[] = [
    { kind: "set", key: KEY, value, expireAtMs: 1_700_000_000_000 },
    { kind: "set-suffix", key: KEY, value, expireAtMs: 0 },
    { kind: "delete", key: KEY },
    {
      kind: "sum",
      key: utf8("n"),
      value: u64(1),
      min: utf8("-"),
      max: utf8("+"),
      clamp: true,
    },
    { kind: "min", key: utf8("n"), value: u64(2) },
    { kind: "max", key: utf8("n"), value: u64(3) },
  ];
  const checks = [{ key: KEY, versionstamp: null }];
  const reply = await clientOf(fixture).atomicWrite({ checks, changes });
  assert.equal(reply.kind, "committed");
  assert.deepEqual(fixture.node.writes, [{ database: "x", checks, changes }]);
  const versionstamp = new Uint8Array(10);
  const failed = await clientOf(fixture).atomicWrite({
    checks: [...checks, { key: KEY, versionstamp }],
    changes: [],
  });
  assert.deepEqual(failed, { kind: "check-failed", failedChecks: [1] });
});

Deno.test("snapshotRead() returns entries of each range", async () => {
  const fixture = new Fixture();
  const client = clientOf(fixture);
  await client.atomicWrite({
    checks: [],
    changes: [{ kind: "set", key: KEY, value: u64(7), expireAtMs: 0 }],
  });
  const [entries, none] = await client.snapshotRead([RANGE, {
    ...RANGE,
    end: KEY,
  }]);
  assert.deepEqual(entries?.map(({ key, value }) => [key, value]), [
    [KEY, u64(7)],
  ]);
  assert.deepEqual(none, []);
});

Deno.test("snapshotRead() asks for long bounds when it needs them", async () => {
  const fixture = new Fixture();
  const start = new Uint8Array(2_071).fill(1);
  await clientOf(fixture).snapshotRead([{ ...RANGE, start }]);
  assert.equal(fixture.node.reads[0]?.ranges[0]?.start.length, 2_071);
});

Deno.test("metadata() is fetched once, and again after it expires", async () => {
  const fixture = new Fixture();
  let exchanges = 0;
  const client = clientOf(fixture, (request) => {
    if (request.url === `${BASE}/db/x`) exchanges += 1;
    return fixture.send(request);
  });
  for (let i = 0; i < 3; i += 1) await client.snapshotRead([RANGE]);
  assert.equal(exchanges, 1);
  assert.equal((await client.metadata()).endpoint, `${BASE}/db/x/v2`);
  fixture.clock.advance(3_600_000);
  await client.snapshotRead([RANGE]);
  assert.equal(exchanges, 2);
});

Deno.test("a 401 or 403 is answered by new metadata, once", async () => {
  const fixture = new Fixture();
  const moved = new Fixture();
  moved.node.clusterIdNow = new Uint8Array(16);
  let isMoved = false;
  const client = clientOf(
    fixture,
    (request) => (isMoved ? moved : fixture).send(request),
  );
  await client.snapshotRead([RANGE]);
  isMoved = true;
  await client.snapshotRead([RANGE]);
  assert.equal(moved.node.reads.length, 1);
  const refused = clientOf(fixture, async (request) => {
    if (request.url.includes("v2")) {
      return new Response("not the leader", { status: 403 });
    }
    return await fixture.send(request);
  });
  await assert.rejects(refused.snapshotRead([RANGE]), (error) => {
    assert.ok(error instanceof ServerRefusedError);
    assert.equal(error.status, 403);
    assert.match(error.message, /403: not the leader/);
    return true;
  });
});

Deno.test("errors say whether the server was reached", async () => {
  const fixture = new Fixture();
  await assert.rejects(
    clientOf(fixture, undefined, "wrong-token").metadata(),
    (error) => {
      assert.ok(error instanceof ServerRefusedError);
      assert.equal(error.status, 401);
      assert.match(error.remedy, /SEALKV_ACCESS_TOKEN/);
      return true;
    },
  );
  const gone = clientOf(fixture, async () => {
    throw new TypeError("connection refused");
  });
  await assert.rejects(gone.metadata(), ServerUnreachableError);
  const rejected = clientOf(fixture).atomicWrite({
    checks: [],
    changes: [{ kind: "delete", key: new Uint8Array(0) }],
  });
  await assert.rejects(rejected, /answered 400: key cannot be empty/);
});

Deno.test("a failed exchange is tried again by the next call", async () => {
  const fixture = new Fixture();
  const client = clientOf(fixture);
  const id = fixture.node.clusterIdNow;
  fixture.node.clusterIdNow = null;
  await assert.rejects(client.snapshotRead([RANGE]), ServerRefusedError);
  fixture.node.clusterIdNow = id;
  await client.snapshotRead([RANGE]);
});

const STRONG = '[{"url":"/v2","consistency":"strong"}]';
const MALFORMED = [
  "",
  "{",
  "null",
  "[]",
  "{}",
  `{"token":"t","databaseId":"d","expiresAt":"2030-01-01T00:00:00Z"}`,
  `{"token":"t","databaseId":1,"expiresAt":"","endpoints":${STRONG}}`,
  '{"token":"t","databaseId":"d","expiresAt":"","endpoints":[null]}',
];

for (const text of MALFORMED) {
  Deno.test(`metadata() refuses ${text.slice(0, 60) || "nothing"}`, async () => {
    const fixture = new Fixture();
    const client = clientOf(fixture, async () => new Response(text));
    await assert.rejects(client.metadata(), ReplyMalformedError);
  });
}

/** A client whose data calls are all answered with `body`. */
function answered(body: BodyInit): KvConnectClient {
  const fixture = new Fixture();
  return clientOf(
    fixture,
    (request) =>
      request.url.includes("v2")
        ? Promise.resolve(new Response(body))
        : fixture.send(request),
  );
}

for (const hex of ["ff", "00", "0800", "0805", "4002"]) {
  Deno.test(`replies of the bytes ${hex} are refused`, async () => {
    const body = Uint8Array.from(
      hex.match(/../g)!,
      (byte) => Number.parseInt(byte, 16),
    );
    const write = { checks: [], changes: [] };
    await assert.rejects(
      answered(body).atomicWrite(write),
      ReplyMalformedError,
    );
    await assert.rejects(answered(body).snapshotRead([]), ReplyMalformedError);
  });
}

Deno.test("watch() cuts frames wherever chunks end", async () => {
  const entry = { key: KEY, value: u64(1), versionstamp: new Uint8Array(10) };
  // A key marked as unchanged, which other servers send.
  const unchanged = Uint8Array.of(6, 0, 0, 0, 8, 1, 18, 0, 18, 0);
  const bytes = concatBytes(
    encodeWatchFrame([entry, null]),
    keepAliveFrame(),
    unchanged,
  );
  for (const size of [1, 3, 7, 1_000]) {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      chunks.push(bytes.slice(at, at + size));
    }
    const client = answered(ReadableStream.from(chunks));
    const seen = [];
    const { signal } = new AbortController();
    for await (const entries of client.watch([KEY, KEY], signal)) {
      seen.push(entries);
    }
    assert.deepEqual(seen, [[entry, null], ["unchanged", "unchanged"]]);
  }
});

Deno.test("watch() refuses a frame over 16 MiB", async () => {
  const client = answered(Uint8Array.of(1, 0, 0, 1));
  const { signal } = new AbortController();
  await assert.rejects(client.watch([KEY], signal).next(), ReplyMalformedError);
});

Deno.test("watch() ends when its signal aborts", async () => {
  const fixture = new Fixture();
  const stop = new AbortController();
  const watch = clientOf(
    fixture,
    (request) =>
      fixture.send(request).then((response) => {
        if (!request.url.endsWith("/watch")) return response;
        const body = response.body!.pipeThrough(new TransformStream(), {
          signal: request.signal,
        });
        return new Response(body);
      }),
  ).watch([KEY], stop.signal);
  assert.deepEqual((await watch.next()).value, [null]);
  const next = watch.next();
  stop.abort();
  assert.equal((await next).done, true);
  assert.equal(fixture.node.subscriptions, 0);
});
