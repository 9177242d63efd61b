/*
 * Goal: one record for every change that was asked for, whatever became of it,
 * and none for anything else.
 * Method: requests through the whole handler.
 */
import assert from "node:assert/strict";
import type { AuditRecord } from "../../../src/admin/audit.ts";
import { adminHandler } from "../../../src/admin/handler.ts";
import {
  CapabilityUnprovenError,
  ChangeUnderWayError,
} from "../../../src/node/encryption/change_errors.ts";
import { OutcomeUnknownError } from "../../../src/node/errors.ts";
import { SimClock } from "../../sim/io/clock.ts";
import {
  fakeEncryption,
  type FakeEncryptionOptions,
} from "./fake_encryption.ts";
import {
  fakeNode,
  type FakeNodeOptions,
  PLAN_HASH,
  recordingAudit,
  recordingLog,
  VITALS,
} from "./fake_node.ts";

const TOKEN = "admin-token-123";
const CLUSTER = "sealkv.admin.v1.ClusterAdmin";
const ENCRYPTION = "sealkv.admin.v1.EncryptionAdmin";

interface Ask {
  readonly path: string;
  readonly body?: object;
  readonly headers?: Record<string, string>;
  readonly node?: FakeNodeOptions;
  readonly encryption?: FakeEncryptionOptions;
}

async function ask(given: Ask) {
  const audit = recordingAudit();
  const log = recordingLog();
  const handle = adminHandler({
    node: fakeNode(given.node),
    encryption: fakeEncryption(given.encryption),
    audit,
    vitals: () => Promise.resolve(VITALS),
    isAdminToken: (token) => Promise.resolve(token === TOKEN),
    clock: new SimClock(),
    log,
    stopping: new AbortController().signal,
  });
  const request = new Request(`http://h/${given.path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${TOKEN}`,
      ...given.headers,
    },
    body: JSON.stringify(given.body ?? {}),
  });
  const response = await handle(request, { hostname: "10.0.0.9", port: 4 });
  const text = await response.text();
  return { records: audit.records, events: log.events, text };
}

const DONE: AuditRecord = {
  actor: "",
  remote: "10.0.0.9",
  call: `${ENCRYPTION}/RotateDek`,
  request: { purpose: "KEY_PURPOSE_RAFT" },
  plan: PLAN_HASH,
  accept: [],
  result: "done",
  isChanged: true,
  code: "",
  index: 184_273n,
};
const ROTATE = { path: DONE.call, body: { purpose: 2, confirm: "prod" } };

Deno.test("a change is one record: who, what, plan, result, index", async () => {
  const headers = { "sealkv-actor": "ana@laptop" };
  const { records, events } = await ask({ ...ROTATE, headers });
  assert.deepEqual(records, [{ ...DONE, actor: "ana@laptop" }]);
  assert.deepEqual(events, ["info encryption_change_done"]);
});

Deno.test("a change that was so already is done and not changed", async () => {
  const plan = { hash: PLAN_HASH, steps: [] };
  const result = { plan, isChanged: false, index: 5, unreachable: [] };
  const { records } = await ask({
    ...ROTATE,
    encryption: { change: () => result },
  });
  assert.deepEqual(records, [{ ...DONE, isChanged: false, index: 5n }]);
});

const FAILED = { ...DONE, isChanged: false, index: 0n };
const FAILURES: [error: Error, result: "refused" | "unknown", code: string][] =
  [
    [
      new CapabilityUnprovenError("rotate", []),
      "refused",
      "NODE_CAPABILITY_UNPROVEN",
    ],
    [new ChangeUnderWayError("x"), "refused", "NODE_CHANGE_UNDER_WAY"],
    [new OutcomeUnknownError(), "unknown", "NODE_OUTCOME_UNKNOWN"],
    [new TypeError("a bug"), "unknown", ""],
  ];
for (const [error, result, code] of FAILURES) {
  Deno.test(`${error.name} is recorded as ${result}`, async () => {
    const change = () => Promise.reject(error);
    const { records } = await ask({ ...ROTATE, encryption: { change } });
    assert.deepEqual(records, [{ ...FAILED, plan: "", result, code }]);
  });
}

Deno.test("a change whose fields are wrong is recorded as refused", async () => {
  const keks = ["x".repeat(600), "\u001b[31m", ..."abcdefghijklmnopqr"];
  const { records } = await ask({
    path: `${ENCRYPTION}/RewrapDeks`,
    body: { keks, planHash: "f".repeat(900), accept: ["a".repeat(900)] },
    headers: { "sealkv-actor": `a b\tc${"d".repeat(900)}` },
  });
  const [record = assert.fail()] = records;
  assert.equal(record.code, "ADMIN_REQUEST_INVALID");
  assert.equal(record.result, "refused");
  assert.deepEqual(
    (record.request["keks"] as string[]).map(({ length }) => length),
    [200, 5, ...Array(14).fill(1)],
  );
  assert.equal(record.plan.length, 200);
  assert.equal(record.accept[0]?.length, 200);
  assert.match(record.actor, /^abcd{197}$/);
});

const MEMBER_CHANGES: [rpc: string, body: object, request: object][] = [
  [
    "AddMember",
    { name: "n4", peerAddress: "h:1" },
    { name: "n4", peerAddress: "h:1", promote: false },
  ],
  ["PromoteMember", { name: "n4" }, { name: "n4" }],
  ["RemoveMember", { name: "n4", accept: ["quorum-loss"] }, { name: "n4" }],
  ["TransferLeader", {}, { name: "" }],
];
for (const [rpc, body, request] of MEMBER_CHANGES) {
  Deno.test(`${rpc} is recorded`, async () => {
    const { records } = await ask({ path: `${CLUSTER}/${rpc}`, body });
    assert.deepEqual(records, [{
      ...DONE,
      call: `${CLUSTER}/${rpc}`,
      request,
      accept: "accept" in body ? ["quorum-loss"] : [],
      index: 0n,
    }]);
  });
}

const SILENT: [name: string, given: Ask][] = [
  ["a dry run", { ...ROTATE, body: { purpose: 2, dryRun: true } }],
  ["a dry run that is refused", { ...ROTATE, body: { dryRun: true } }],
  ["GetStatus", { path: `${CLUSTER}/GetStatus` }],
  ["GetEncryptionState", { path: `${ENCRYPTION}/GetEncryptionState` }],
  ["ResyncSidecar", { path: `${ENCRYPTION}/ResyncSidecar` }],
  ["no token", { ...ROTATE, headers: { authorization: "Bearer x" } }],
];
for (const [name, given] of SILENT) {
  Deno.test(`${name} is not recorded`, async () => {
    assert.deepEqual((await ask(given)).records, []);
  });
}
