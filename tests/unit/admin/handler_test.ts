import assert from "node:assert/strict";
import { adminHandler, REQUEST_BYTES_MAX } from "../../../src/admin/handler.ts";
import { AdminTokenRejectedError } from "../../../src/admin/errors.ts";
import type { NodeError } from "../../../src/base/error.ts";
import type { MemberRequest, NodeStatus } from "../../../src/node/port.ts";
import {
  MemberUnknownError,
  NotLeaderError,
  PlanStaleError,
} from "../../../src/node/member_errors.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { fakeEncryption } from "./fake_encryption.ts";
import {
  type FakeNode,
  fakeNode,
  PLAN_HASH,
  recordingAudit,
  recordingLog,
  VITALS,
} from "./fake_node.ts";

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
  readonly node?: FakeNode;
}

async function ask(given: Ask) {
  const log = recordingLog();
  const handle = adminHandler({
    encryption: fakeEncryption(),
    audit: recordingAudit(),
    node: given.node ??
      fakeNode(given.status === undefined ? {} : { status: given.status }),
    vitals: () => Promise.resolve(VITALS),
    isAdminToken: (token) => Promise.resolve(token === TOKEN),
    clock: new SimClock(),
    log,
    stopping: new AbortController().signal,
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
      id: "1",
      isVoter: true,
      peerAddress: "127.0.0.1:4513",
      clientAddress: "127.0.0.1:4512",
      adminAddress: "127.0.0.1:4514",
      hasStarted: true,
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

const SERVICE = "/sealkv.admin.v1.ClusterAdmin";
const CHANGES: [rpc: string, body: object, request: MemberRequest][] = [
  [
    "AddMember",
    { name: "n4", peerAddress: "10.0.0.4:4513", promote: true },
    { kind: "add", name: "n4", peerAddress: "10.0.0.4:4513", promote: true },
  ],
  ["PromoteMember", { name: "n4" }, { kind: "promote", name: "n4" }],
  ["RemoveMember", { name: "n4" }, { kind: "remove", name: "n4" }],
  ["TransferLeader", { name: "n4" }, { kind: "transfer-leader", name: "n4" }],
  ["TransferLeader", {}, { kind: "transfer-leader", name: "" }],
];
for (const [rpc, body, request] of CHANGES) {
  const path = `${SERVICE}/${rpc}`;
  Deno.test(`adminHandler() hands ${rpc} ${JSON.stringify(body)} on`, async () => {
    const node = fakeNode();
    const terms = {
      dryRun: false,
      planHash: PLAN_HASH,
      confirm: "prod-eu-1",
      accept: ["quorum-loss"],
    };
    const { text, events } = await ask({
      node,
      path,
      body: JSON.stringify({ ...body, ...terms }),
    });
    assert.deepEqual(JSON.parse(text), {
      change: {
        plan: { hash: PLAN_HASH, steps: [`${request.kind} ${request.name}`] },
        changed: true,
        memberId: "17",
      },
    });
    const actor = "127.0.0.1";
    assert.deepEqual(node.asked, [{ request, terms: { ...terms, actor } }]);
    assert.deepEqual(events, ["info member_change_done"]);
  });

  Deno.test(`adminHandler() logs no dry run of ${rpc} ${JSON.stringify(body)}`, async () => {
    const { text, events } = await ask({
      node: fakeNode(),
      path,
      body: JSON.stringify({ ...body, dryRun: true }),
    });
    assert.equal(JSON.parse(text).change.changed, undefined);
    assert.deepEqual(events, []);
  });
}

const MALFORMED: [name: string, rpc: string, body: object, said: RegExp][] = [
  ["no name", "AddMember", { peerAddress: "h:1" }, /"name".*node name/],
  ["a bad name", "RemoveMember", { name: "N4" }, /"name".*"N4"/],
  ["a name of parents", "PromoteMember", { name: ".." }, /"name"/],
  ["no address", "AddMember", { name: "n4" }, /"peer_address"/],
  ["port 0", "AddMember", { name: "n4", peerAddress: "h:0" }, /"h:0"/],
  [
    "a short hash",
    "PromoteMember",
    { name: "n4", planHash: "12" },
    /"plan_hash"/,
  ],
  [
    "an unknown risk",
    "RemoveMember",
    { name: "n4", accept: ["quorum-loss", "all"] },
    /"accept".*one of: quorum-loss.*"all"/,
  ],
  [
    "a long confirm",
    "RemoveMember",
    { name: "n4", confirm: "a".repeat(256) },
    /256/,
  ],
];
for (const [name, rpc, body, said] of MALFORMED) {
  Deno.test(`adminHandler() refuses ${rpc} with ${name}`, async () => {
    const node = fakeNode();
    const path = `${SERVICE}/${rpc}`;
    const { response, text } = await ask({
      node,
      path,
      body: JSON.stringify(body),
    });
    const error = JSON.parse(text);
    assert.equal(response.status, 400);
    assert.equal(error.code, "invalid_argument");
    assert.equal(error.details[0].debug.reason, "ADMIN_REQUEST_INVALID");
    assert.match(error.message, said);
    assert.deepEqual(node.asked, []);
  });
}

const FAILURES: [error: NodeError, code: string, metadata: object][] = [
  [
    new NotLeaderError("n2", "10.0.0.2:4514"),
    "failed_precondition",
    { leader: "n2", leader_admin: "10.0.0.2:4514" },
  ],
  [new MemberUnknownError("n9"), "not_found", { nodes: "n9" }],
  [new PlanStaleError("a", "b"), "aborted", {}],
];
for (const [error, code, metadata] of FAILURES) {
  Deno.test(`adminHandler() puts ${error.name} on the wire`, async () => {
    const node = fakeNode({
      change: () => {
        throw error;
      },
    });
    const path = `${SERVICE}/RemoveMember`;
    const { text, events } = await ask({ node, path, body: '{"name":"n9"}' });
    const { code: shown, details } = JSON.parse(text);
    assert.equal(shown, code);
    assert.equal(details[0].debug.reason, error.code);
    assert.deepEqual(details[0].debug.metadata, {
      remedy: error.remedy,
      ...metadata,
    });
    assert.deepEqual(events, ["warn member_change_refused"]);
  });
}
