/*
 * Goal: clients that are not ours see the rollout and long tasks of members.
 * Method: fetch with Connect JSON and connect-web with gRPC-Web against a real
 * socket of our own server, a scripted node behind it.
 */
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ACTOR_LENGTH_MAX } from "../../src/admin/actor.ts";
import {
  EncryptionAdmin,
  TaskState,
  type VerifyRecordsResponse,
} from "../../src/admin/gen/encryption_pb.ts";
import { ROLLOUT_ACTOR_BYTES_MAX } from "../../src/fsm/limits.ts";
import { NotLeaderError } from "../../src/node/member_errors.ts";
import { ROLLOUT, RUNNING } from "../unit/admin/fake_encryption.ts";
import { PLAN_HASH } from "../unit/admin/fake_node.ts";
import { call, HEADERS, withServer } from "./encryption_server.ts";

Deno.test("fetch reads GetRollout and ListEvents, u64 as strings", () =>
  withServer({ rollout: ROLLOUT }, async ({ url, records }) => {
    const { json } = await call(url, "GetRollout", {});
    assert.deepEqual(json, {
      rewrite: { id: "184300", bytesPerSecond: "8388608", paused: true },
      dwellUntilMs: "1745924400000",
    });
    const { json: history } = await call(url, "ListEvents", {});
    assert.deepEqual(history.events, [{
      index: "184202",
      atMs: "1745920800000",
      actor: "ana@laptop",
      action: "enable-storage-envelope",
      planHash: PLAN_HASH,
      result: "ROLLOUT_RESULT_DONE",
      entry: "184201",
    }, {
      index: "184310",
      atMs: "1745920900000",
      actor: "10.0.0.9",
      action: "seal-cleartext",
      planHash: PLAN_HASH,
      result: "ROLLOUT_RESULT_REFUSED",
      detail: "NODE_CLEARTEXT_REMAINS",
    }]);
    assert.deepEqual(records, [], "reads are not audited");
  }));

Deno.test("GetRollout of a cluster without one is empty", () =>
  withServer({}, async ({ url }) => {
    assert.deepEqual((await call(url, "GetRollout", {})).json, {});
    assert.deepEqual((await call(url, "ListEvents", {})).json, {});
  }));

Deno.test("fetch reads the change that is under way", () => {
  const members = [RUNNING, { ...RUNNING, member: "n2" }];
  const changeUnderWay = () => ({ action: "scrub", members } as const);
  return withServer({ changeUnderWay }, async ({ url, records }) => {
    const { json } = await call(url, "GetChangeUnderWay", {});
    assert.equal(json.action, "scrub");
    assert.deepEqual(json.members[1], {
      member: "n2",
      state: "TASK_STATE_RUNNING",
      done: "5",
      total: "10",
      bytes: "1099511627776",
      elapsedMs: "1500",
    });
    assert.deepEqual(records, [], "reads are not audited");
  });
});

Deno.test("GetChangeUnderWay is empty when there is none, and the leader's", async () => {
  await withServer({}, async ({ url }) => {
    assert.deepEqual((await call(url, "GetChangeUnderWay", {})).json, {});
  });
  const changeUnderWay = () => {
    throw new NotLeaderError("n2", "h:2");
  };
  await withServer({ changeUnderWay }, async ({ url }) => {
    const { status, json } = await call(url, "GetChangeUnderWay", {});
    assert.deepEqual([status, json.details.length], [400, 1]);
  });
});

Deno.test("gRPC-Web watches the rewrite", () =>
  withServer({
    rollout: ROLLOUT,
    rewriteProgress: () => Promise.resolve([RUNNING]),
  }, async ({ url }) => {
    const client = createClient(
      EncryptionAdmin,
      createGrpcWebTransport({ baseUrl: url }),
    );
    const leave = new AbortController();
    const options = { headers: HEADERS, signal: leave.signal };
    let seen = 0;
    for await (const told of client.watchRewrite({}, options)) {
      seen += 1;
      assert.equal(told.job?.id, 184_300n);
      const [task] = told.members;
      assert.deepEqual([task?.member, task?.state, task?.bytes], [
        "n1",
        TaskState.RUNNING,
        2n ** 40n,
      ]);
      if (seen === 2) break;
    }
    leave.abort();
  }));

Deno.test("gRPC-Web has members count their records", () =>
  withServer({}, async ({ url }) => {
    const client = createClient(
      EncryptionAdmin,
      createGrpcWebTransport({ baseUrl: url }),
    );
    const asked = { members: ["n3"] };
    const told: VerifyRecordsResponse[] = [];
    for await (
      const message of client.verifyRecords(asked, { headers: HEADERS })
    ) told.push(message);
    const [first, last] = told.map(({ members }) => members[0]);
    assert.equal(told.length, 2);
    assert.equal(first?.counts, undefined);
    assert.equal(last?.task?.member, "n3");
    assert.equal(last?.counts?.cleartext, 3n);
    assert.equal(last?.counts?.sealed[1]?.records, 2n ** 50n);
  }));

Deno.test("who asks is the caller's name, or where it calls from", () =>
  withServer({}, async ({ url, encryption }) => {
    const named = {
      ...HEADERS,
      "sealkv-actor": `ana@ lap\ttop${"x".repeat(80)}`,
    };
    await call(url, "Bootstrap", {}, named);
    await call(url, "Bootstrap", {});
    const [first, second] = encryption.asked.map(({ terms }) => terms.actor);
    assert.equal(first, `ana@laptop${"x".repeat(54)}`);
    assert.equal(second, "127.0.0.1");
    assert.equal(ACTOR_LENGTH_MAX, ROLLOUT_ACTOR_BYTES_MAX);
  }));
