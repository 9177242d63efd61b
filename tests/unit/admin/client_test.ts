import assert from "node:assert/strict";
import { makeAdminClient } from "../../../src/admin/client.ts";
import {
  AdminAddressInvalidError,
  AdminCallRefusedError,
  AdminUnreachableError,
  RemoteError,
} from "../../../src/admin/errors.ts";
import { adminHandler } from "../../../src/admin/handler.ts";
import type { HttpClientPort } from "../../../src/io/http.ts";
import type { NodeStatus } from "../../../src/node/port.ts";
import { denoClock } from "../../../src/io/deno/clock.ts";
import { fakeEncryption } from "./fake_encryption.ts";
import {
  type FakeNode,
  fakeNode,
  MEMBER,
  recordingAudit,
  recordingLog,
  STATUS,
  VITALS,
} from "./fake_node.ts";

const TOKEN = "admin-token-123";

/** Members by origin; dialling any other fails as the platform's fetch. */
function network(
  members: Readonly<Record<string, (request: Request) => Promise<Response>>>,
): HttpClientPort & { readonly dialled: string[] } {
  const dialled: string[] = [];
  return {
    dialled,
    fetch(request) {
      const { origin } = new URL(request.url);
      dialled.push(origin);
      const member = members[origin];
      return member === undefined
        ? Promise.reject(new TypeError("connection refused"))
        : member(request);
    },
    close() {},
  };
}

function member(status: NodeStatus = STATUS) {
  return serving(fakeNode({ status: () => status }));
}

function serving(node: FakeNode, stopping = new AbortController().signal) {
  const handle = adminHandler({
    encryption: fakeEncryption(),
    audit: recordingAudit(),
    node,
    vitals: () => Promise.resolve(VITALS),
    isAdminToken: (token) => Promise.resolve(token === TOKEN),
    clock: denoClock(),
    log: recordingLog(),
    stopping,
  });
  return async (request: Request) =>
    await handle(request, { hostname: "127.0.0.1", port: 1 });
}

function client(admin: string, http: HttpClientPort, token = TOKEN) {
  return makeAdminClient({
    actor: "ana@laptop",
    admin,
    token,
    isTls: false,
    timeoutMs: 5_000,
    http,
    clock: denoClock(),
  });
}

Deno.test("getStatus() gives every field back", async () => {
  const http = network({ "http://h:1": member() });
  assert.deepEqual(await client("h:1", http).getStatus(), {
    ...STATUS,
    clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    term: 7n,
    commit: 2n ** 53n - 1n,
    applied: 812_344n,
    members: [{ ...MEMBER, id: 1n, lag: 0n, applied: 812_344n }],
  });
});

Deno.test("getStatus() asks the next member when one is silent", async () => {
  const http = network({ "http://h:2": member() });
  const status = await client("h:1, h:2,h:3", http).getStatus();
  assert.equal(status.node, "n1");
  assert.deepEqual(http.dialled, ["http://h:1", "http://h:2"]);
});

Deno.test("getStatus() names everyone who is silent", async () => {
  await assert.rejects(client("h:1,h:2", network({})).getStatus(), (error) => {
    assert.ok(error instanceof AdminUnreachableError);
    assert.deepEqual(error.addresses, ["http://h:1", "http://h:2"]);
    return true;
  });
});

Deno.test("getStatus() does not try others after a wrong token", async () => {
  const http = network({ "http://h:1": member(), "http://h:2": member() });
  const call = client("h:1,h:2", http, "another-token").getStatus();
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof RemoteError);
    assert.equal(error.code, "ADMIN_TOKEN_REJECTED");
    assert.match(error.remedy, /SEALKV_ADMIN_TOKEN/);
    return true;
  });
  assert.deepEqual(http.dialled, ["http://h:1"]);
});

Deno.test("getStatus() keeps what a stranger answered as the cause", async () => {
  const stranger = () =>
    Promise.resolve(new Response("<html>", { status: 418 }));
  const http = network({ "http://h:1": stranger });
  await assert.rejects(client("h:1", http).getStatus(), AdminCallRefusedError);
});

const GOOD: [admin: string, origin: string][] = [
  ["127.0.0.1:4514", "http://127.0.0.1:4514"],
  ["[::1]:4514", "http://[::1]:4514"],
  ["http://h:1", "http://h:1"],
  ["https://h", "https://h"],
  ["https://h:443", "https://h"],
  ["h:80", "http://h"],
];
for (const [admin, origin] of GOOD) {
  Deno.test(`makeAdminClient() dials ${admin} as ${origin}`, async () => {
    const http = network({ [origin]: member() });
    assert.equal((await client(admin, http).getStatus()).node, "n1");
  });
}

Deno.test("makeAdminClient() dials with TLS when told", async () => {
  const http = network({ "https://h:1": member() });
  const clock = denoClock();
  const options = { admin: "h:1", token: TOKEN, timeoutMs: 5_000, http, clock };
  const status = await makeAdminClient({ ...options, isTls: true, actor: "" })
    .getStatus();
  assert.equal(status.node, "n1");
});

const BAD = ["", "h", "h:1,", "h:1/path", "http://u:p@h:1", "h:x", "h:1?q"];
for (const admin of BAD) {
  Deno.test(`makeAdminClient() refuses ${JSON.stringify(admin)}`, () => {
    assert.throws(() => client(admin, network({})), AdminAddressInvalidError);
  });
}
