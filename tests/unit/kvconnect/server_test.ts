import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import {
  encodeReadRequest,
  encodeWriteRequest,
} from "../../../src/kvconnect/client_codec.ts";
import {
  RequestInvalidError,
  ServiceNotReadyError,
} from "../../../src/kvconnect/errors.ts";
import { HTTP_STATUS } from "../../../src/kvconnect/http_status.ts";
import { BASE, Fixture } from "./fixture.ts";

const READ = encodeReadRequest([]);
const EMPTY_WRITE = encodeWriteRequest({ checks: [], changes: [] });

Deno.test("a data call wants protocol version 2 or 3", async () => {
  const fixture = new Fixture();
  for (
    const [version, status] of [
      ["2", 200],
      ["3", 200],
      ["1", 400],
      ["4", 400],
      ["", 400],
      ["3.0", 400],
    ] as const
  ) {
    const response = await fixture.call("snapshot_read", READ, {
      headers: { "x-denokv-version": version },
    });
    assert.equal(response.status, status, version);
  }
});

Deno.test("a data call for another database id is a 403", async () => {
  const fixture = new Fixture();
  for (const id of ["", "00000000-0000-0000-0000-000000000000", "x"]) {
    const response = await fixture.call("atomic_write", EMPTY_WRITE, {
      headers: { "x-denokv-database-id": id },
    });
    assert.equal(response.status, 403);
  }
  assert.equal(fixture.node.writes.length, 0);
});

Deno.test("a data call needs no content type", async () => {
  const response = await new Fixture().call("snapshot_read", READ, {
    headers: { "content-type": "" },
  });
  assert.equal(response.status, 200);
  assert.equal(
    response.headers.get("content-type"),
    "application/x-protobuf",
  );
});

const PATHS: [method: string, path: string, status: number][] = [
  ["GET", "/healthz", 200],
  ["POST", "/healthz", 404],
  ["GET", "/readyz", 200],
  ["GET", "/metrics", 200],
  ["GET", "/", 404],
  ["GET", "/v2/watch", 404],
  ["PUT", "/v2/atomic_write", 404],
  ["POST", "/v2/nothing", 404],
  ["POST", "/v2/watch", 401],
  ["POST", "/", 401],
];

for (const [method, path, status] of PATHS) {
  Deno.test(`${method} ${path} is a ${status}`, async () => {
    const fixture = new Fixture();
    const response = await fixture.send(new Request(BASE + path, { method }));
    assert.equal(response.status, status);
  });
}

Deno.test("a body over 2 MiB is a 413, announced or counted", async () => {
  const fixture = new Fixture();
  const announced = await fixture.call("atomic_write", EMPTY_WRITE, {
    headers: { "content-length": String(2 * 1024 * 1024 + 1) },
  });
  assert.equal(announced.status, 413);
  const nonsense = await fixture.call("atomic_write", EMPTY_WRITE, {
    headers: { "content-length": "many" },
  });
  assert.equal(nonsense.status, 413);
  assert.equal((await counted(fixture, 33)).status, 413);
  assert.equal((await counted(fixture, 32)).status, 400);
  assert.equal(fixture.node.writes.length, 0);
});

/** Sends `chunks` times 64 KiB of zeros without a content-length. */
async function counted(fixture: Fixture, chunks: number): Promise<Response> {
  const { token, databaseId } = await fixture.metadata();
  let left = chunks;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) controller.close();
      else controller.enqueue(new Uint8Array(65_536));
      left -= 1;
    },
  });
  return await fixture.send(
    new Request(`${BASE}/v2/atomic_write`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "x-denokv-version": "3",
        "x-denokv-database-id": databaseId,
      },
      body,
    }),
  );
}

Deno.test("a body that breaks off changes nothing", async () => {
  const fixture = new Fixture();
  const { token, databaseId } = await fixture.metadata();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new Error("connection reset")),
  });
  const response = await fixture.send(
    new Request(`${BASE}/v2/atomic_write`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "x-denokv-version": "3",
        "x-denokv-database-id": databaseId,
      },
      body,
    }),
  );
  assert.equal(response.status, 400);
  assert.equal(fixture.node.writes.length, 0);
  assert.deepEqual(fixture.faults, []);
});

Deno.test("what the node throws gets the status of its code", async () => {
  const fixture = new Fixture();
  fixture.node.failure = new ServiceNotReadyError();
  for (const method of ["snapshot_read", "atomic_write"]) {
    assert.equal((await fixture.call(method, READ)).status, 503);
  }
  fixture.node.failure = new RequestInvalidError("not like this");
  const response = await fixture.call("atomic_write", EMPTY_WRITE);
  assert.equal(response.status, 400);
  assert.equal(await response.text(), "not like this");
});

Deno.test("a bug is a 400 with a reference, logged and passed on", async () => {
  const fixture = new Fixture();
  const bug = new InvariantError("Invariant broken: secret detail");
  fixture.node.failure = bug;
  const response = await fixture.call("atomic_write", EMPTY_WRITE);
  assert.equal(response.status, 400);
  const text = await response.text();
  assert.match(text, /reference n1-1$/);
  assert.doesNotMatch(text, /secret/);
  assert.deepEqual(fixture.faults, [bug]);
  const [event, fields] = fixture.log.events[0]!;
  assert.equal(event, "kvconnect_fault");
  assert.equal(fields?.reference, "n1-1");
});

Deno.test("HTTP_STATUS never answers a client's fault with a 5xx, nor 500", () => {
  for (const [code, status] of Object.entries(HTTP_STATUS)) {
    assert.ok(status === 503 || (status >= 400 && status < 500), code);
  }
});

Deno.test("/readyz follows the node and stop()", async () => {
  const fixture = new Fixture();
  const ready = async () =>
    (await fixture.send(new Request(`${BASE}/readyz`))).status;
  assert.equal(await ready(), 200);
  fixture.node.ready = false;
  assert.equal(await ready(), 503);
  fixture.node.ready = true;
  fixture.server.stop();
  assert.equal(await ready(), 503);
  const health = await fixture.send(new Request(`${BASE}/healthz`));
  assert.equal(health.status, 200);
});

Deno.test("/metrics counts requests by method and status", async () => {
  const fixture = new Fixture();
  await fixture.call("atomic_write", EMPTY_WRITE);
  await fixture.call("atomic_write", new Uint8Array([0]));
  const response = await fixture.send(new Request(`${BASE}/metrics`));
  assert.equal(
    response.headers.get("content-type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  const text = await response.text();
  for (
    const line of [
      'sealkv_kvconnect_requests_total{method="atomic_write",status="200"} 1',
      'sealkv_kvconnect_requests_total{method="atomic_write",status="400"} 1',
      'sealkv_kvconnect_requests_total{method="metadata",status="200"} 2',
      'sealkv_kvconnect_errors_total{code="KVCONNECT_REQUEST_INVALID"} 1',
      'sealkv_kvconnect_request_seconds_count{method="atomic_write"} 2',
      "sealkv_kvconnect_watches 0",
    ]
  ) assert.ok(text.includes(`${line}\n`), line);
});
