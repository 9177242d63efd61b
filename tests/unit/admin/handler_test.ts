import assert from "node:assert/strict";
import { adminHandler, REQUEST_BYTES_MAX } from "../../../src/admin/handler.ts";
import { AdminTokenRejectedError } from "../../../src/admin/errors.ts";
import type { NodeStatus } from "../../../src/node/port.ts";
import { fakeNode, recordingLog } from "./fake_node.ts";

const TOKEN = "admin-token-123";
const REMOTE = { hostname: "127.0.0.1", port: 1 };
const PATH = "/sealkv.admin.v1.ClusterAdmin/GetStatus";

interface Ask {
  readonly token?: string | null;
  readonly path?: string;
  readonly method?: string;
  readonly type?: string;
  readonly body?: string;
  readonly status?: () => NodeStatus;
}

async function ask(given: Ask) {
  const log = recordingLog();
  const handle = adminHandler({
    node: fakeNode(given.status),
    isAdminToken: (token) => Promise.resolve(token === TOKEN),
    log,
  });
  const headers = new Headers({
    "content-type": given.type ?? "application/json",
  });
  const token = given.token === undefined ? TOKEN : given.token;
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  const method = given.method ?? "POST";
  const request = new Request(`http://h${given.path ?? PATH}`, {
    method,
    headers,
    ...(method === "POST" ? { body: given.body ?? "{}" } : {}),
  });
  const response = await handle(request, REMOTE);
  return { response, text: await response.text(), events: log.events };
}

Deno.test("adminHandler() answers GetStatus in JSON, u64 as strings", async () => {
  const { response, text } = await ask({});
  assert.equal(response.status, 200);
  assert.deepEqual(JSON.parse(text), {
    cluster: "prod-eu-1",
    clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    node: "n1",
    leader: "n1",
    term: "7",
    commit: "9007199254740991",
    applied: "812344",
    ready: true,
    members: [{
      name: "n1",
      role: "ROLE_LEADER",
      up: true,
      ready: true,
      applied: "812344",
    }],
  });
});

const REFUSED: [name: string, given: Ask, status: number][] = [
  ["no token", { token: null }, 401],
  ["a wrong token", { token: "admin-token-124" }, 401],
  ["a token with a space", { token: "admin token" }, 401],
  ["no token and a bad body", { token: null, body: "{" }, 401],
  ["a body that is no JSON", { body: "{" }, 400],
  [
    "a body above the limit",
    { body: `"${"a".repeat(REQUEST_BYTES_MAX)}"` },
    429,
  ],
  ["an unknown method", { path: "/sealkv.admin.v1.ClusterAdmin/Nope" }, 404],
  ["an unknown service", { path: "/x" }, 404],
  ["GET", { method: "GET" }, 405],
  ["an unknown content type", { type: "text/plain" }, 415],
  ["native gRPC", { type: "application/grpc" }, 415],
];
for (const [name, given, status] of REFUSED) {
  Deno.test(`adminHandler() answers ${status} to ${name}`, async () => {
    const { response, text } = await ask(given);
    assert.equal(response.status, status, text);
    assert.ok(!text.includes(TOKEN));
  });
}

Deno.test("adminHandler() sends code and remedy as ErrorInfo", async () => {
  const { text, events } = await ask({ token: null });
  const error = JSON.parse(text);
  const expected = new AdminTokenRejectedError();
  assert.equal(error.code, "unauthenticated");
  assert.equal(error.message, expected.message);
  assert.equal(error.details[0].type, "google.rpc.ErrorInfo");
  assert.equal(error.details[0].debug.reason, expected.code);
  assert.equal(error.details[0].debug.domain, "sealkv");
  assert.equal(error.details[0].debug.metadata.remedy, expected.remedy);
  assert.deepEqual(events, ["warn admin_token_rejected"]);
});

Deno.test("adminHandler() hides what only a bug throws, and logs it", async () => {
  const { response, text, events } = await ask({
    status: () => {
      throw new TypeError("inner workings");
    },
  });
  assert.equal(response.status, 500);
  assert.ok(!text.includes("inner workings"), text);
  assert.deepEqual(events, ["error admin_call_failed"]);
});
