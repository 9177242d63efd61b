/*
 * Goal: clients that are not ours reach every call of EncryptionAdmin, and no
 * wrong request reaches a node.
 * Method: fetch with Connect JSON and connect-web with gRPC-Web against a real
 * socket of our own server, a scripted node behind it.
 */
import assert from "node:assert/strict";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
} from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "../../src/admin/gen/error_info_pb.ts";
import { EncryptionAdmin } from "../../src/admin/gen/encryption_pb.ts";
import {
  CapabilityUnprovenError,
} from "../../src/node/encryption/change_errors.ts";
import type { EncryptionRequest } from "../../src/node/encryption_port.ts";
import { NotLeaderError } from "../../src/node/member_errors.ts";
import { changed, STATEMENT } from "../unit/admin/fake_encryption.ts";
import { PLAN_HASH } from "../unit/admin/fake_node.ts";
import {
  call,
  HEADERS,
  KEK,
  SERVICE,
  TOKEN,
  withServer,
} from "./encryption_server.ts";

const CHALLENGE = {
  clusterId: btoa("\0".repeat(16)),
  term: "7",
  target: "637012434164177088",
  challenges: [{ kek: KEK, wrapped: btoa("w".repeat(60)) }],
};

const CHANGES: [rpc: string, body: object, request: EncryptionRequest][] = [
  ["Bootstrap", {}, { kind: "bootstrap" }],
  ["RotateDek", { purpose: "KEY_PURPOSE_STORAGE" }, {
    kind: "rotate-dek",
    purpose: "storage",
  }],
  ["RotateDek", { purpose: 2 }, { kind: "rotate-dek", purpose: "raft" }],
  ["RewrapDeks", {}, { kind: "rewrap-deks", keks: [] }],
  ["RewrapDeks", { keks: [KEK, "aws-kms:arn"] }, {
    kind: "rewrap-deks",
    keks: [KEK, "aws-kms:arn"],
  }],
  ["RegisterWriter", {}, { kind: "register-writer" }],
  ["EnableStorageEnvelope", {}, { kind: "enable-storage-envelope" }],
  ["EnableRaftEnvelope", {}, { kind: "enable-raft-envelope" }],
  ["SealCleartext", {}, { kind: "seal-cleartext" }],
  ["RetireDek", { keyId: 4_294_967_295 }, {
    kind: "retire-dek",
    keyId: 4_294_967_295,
  }],
  ["StartRewrite", {}, { kind: "start-rewrite", bytesPerSecond: 0 }],
  ["StartRewrite", { bytesPerSecond: "9007199254740991" }, {
    kind: "start-rewrite",
    bytesPerSecond: 2 ** 53 - 1,
  }],
  ["PauseRewrite", {}, { kind: "pause-rewrite" }],
  ["ResumeRewrite", {}, { kind: "resume-rewrite", bytesPerSecond: null }],
  ["ResumeRewrite", { bytesPerSecond: "0" }, {
    kind: "resume-rewrite",
    bytesPerSecond: 0,
  }],
  ["Scrub", {}, { kind: "scrub", members: [] }],
  ["Scrub", { members: ["n2", "n3"] }, {
    kind: "scrub",
    members: ["n2", "n3"],
  }],
  ["UpdateRollout", {}, { kind: "update-rollout", dwellUntilMs: 0 }],
  ["UpdateRollout", { dwellUntilMs: "1745924400000" }, {
    kind: "update-rollout",
    dwellUntilMs: 1_745_924_400_000,
  }],
];

const RISKS: Partial<Record<EncryptionRequest["kind"], readonly string[]>> = {
  "enable-raft-envelope": ["short-dwell", "unrewritten"],
  "seal-cleartext": ["short-dwell"],
  "retire-dek": ["short-dwell"],
};

for (const [rpc, body, request] of CHANGES) {
  const name = `${rpc} ${JSON.stringify(body)}`;
  const risks = RISKS[request.kind] ?? [];
  Deno.test(`fetch calls ${name}, and nothing else is asked`, () =>
    withServer({}, async ({ url, encryption, records }) => {
      const terms = { dryRun: false, planHash: PLAN_HASH, confirm: "prod" };
      const asked = { ...body, ...terms, accept: risks };
      const { status, json } = await call(url, rpc, asked);
      assert.equal(status, 200);
      assert.deepEqual(json, {
        change: {
          plan: { hash: PLAN_HASH, steps: [`${request.kind} it`] },
          changed: true,
          index: "184273",
          unreachable: ["n3"],
        },
      });
      assert.deepEqual(encryption.asked, [{
        request,
        terms: { ...terms, accept: risks, actor: "127.0.0.1" },
      }]);
      assert.deepEqual(records.map(({ call }) => call), [`${SERVICE}/${rpc}`]);
      await call(url, rpc, { ...body, dryRun: true });
      assert.equal(encryption.asked[1]?.terms.dryRun, true);
      assert.equal(records.length, 1, "a dry run is no change");
    }));

  Deno.test(`${name} is refused without the token, and not audited`, () =>
    withServer({}, async ({ url, encryption, records }) => {
      for (const headers of [{}, { authorization: "Bearer another-token" }]) {
        const { status, json } = await call(url, rpc, body, headers);
        assert.equal(status, 401);
        assert.equal(json.details[0].debug.reason, "ADMIN_TOKEN_REJECTED");
      }
      assert.deepEqual([encryption.asked, records], [[], []]);
    }));

  const wrong: [body: object | string, said: RegExp][] = [
    [{ ...body, planHash: PLAN_HASH.toUpperCase() }, /plan_hash/],
    [
      { ...body, accept: ["quorum-loss"] },
      risks.length === 0
        ? /accept.*no risk to accept/
        : new RegExp(`accept.*one of: ${risks.join(", ")}`),
    ],
    [{ ...body, confirm: "a".repeat(256) }, /confirm/],
    [{ ...body, dryRun: "yes" }, /dry_run|dryRun/],
    ['{"planHash":', /JSON|parse|decode/i],
  ];
  Deno.test(`${name} with wrong terms reaches no node`, () =>
    withServer({}, async ({ url, encryption }) => {
      for (const [given, said] of wrong) {
        const { status, json } = await call(url, rpc, given);
        assert.equal(status, 400, JSON.stringify(json));
        assert.equal(json.code, "invalid_argument");
        assert.match(json.message, said);
      }
      assert.deepEqual(encryption.asked, []);
    }));
}

const WRONG: [rpc: string, body: object, field: string][] = [
  ["RotateDek", {}, "purpose"],
  ["RotateDek", { purpose: "KEY_PURPOSE_STATE" }, "purpose"],
  ["RotateDek", { purpose: 9 }, "purpose"],
  ["RewrapDeks", { keks: [""] }, "keks"],
  ["RewrapDeks", { keks: ["file:a b"] }, "keks"],
  ["RewrapDeks", { keks: ["k".repeat(513)] }, "keks"],
  ["RewrapDeks", { keks: [KEK, KEK] }, "keks"],
  [
    "RewrapDeks",
    { keks: Array.from({ length: 9 }, (_, i) => `k${i}`) },
    "keks",
  ],
  ["RetireDek", {}, "key_id"],
  ["RetireDek", { keyId: 0 }, "key_id"],
  ["RetireDek", { keyId: 0, dryRun: true }, "key_id"],
  ["StartRewrite", { bytesPerSecond: String(2n ** 53n) }, "bytes_per_second"],
  ["ResumeRewrite", { bytesPerSecond: String(2n ** 53n) }, "bytes_per_second"],
  ["UpdateRollout", { dwellUntilMs: "8640000000000001" }, "dwell_until_ms"],
  ["Scrub", { members: ["N 1"] }, "members"],
  ["Scrub", { members: ["n1", "n1"] }, "members"],
  [
    "Scrub",
    { members: Array.from({ length: 33 }, (_, i) => `n${i}`) },
    "members",
  ],
  ["GetCapability", { ...CHALLENGE, clusterId: "" }, "cluster_id"],
  ["GetCapability", { ...CHALLENGE, clusterId: btoa("short") }, "cluster_id"],
  ["GetCapability", { ...CHALLENGE, term: String(2n ** 53n) }, "term"],
  ["GetCapability", { ...CHALLENGE, target: "0" }, "target"],
  ["GetCapability", { ...CHALLENGE, challenges: [] }, "challenges"],
  [
    "GetCapability",
    { ...CHALLENGE, challenges: Array(9).fill(CHALLENGE.challenges[0]) },
    "challenges",
  ],
  [
    "GetCapability",
    { ...CHALLENGE, challenges: [{ kek: "", wrapped: "AA==" }] },
    "challenges.kek",
  ],
  [
    "GetCapability",
    { ...CHALLENGE, challenges: [{ kek: KEK, wrapped: "" }] },
    "challenges.wrapped",
  ],
  [
    "GetCapability",
    {
      ...CHALLENGE,
      challenges: [{ kek: KEK, wrapped: btoa("w".repeat(1_025)) }],
    },
    "challenges.wrapped",
  ],
];
for (const [rpc, body, field] of WRONG) {
  const shown = JSON.stringify(body).slice(0, 120);
  Deno.test(`${rpc} refuses ${shown}`, () =>
    withServer({}, async ({ url, encryption }) => {
      const { status, json } = await call(url, rpc, body);
      assert.equal(status, 400, JSON.stringify(json));
      const { reason, metadata } = json.details[0].debug;
      assert.equal(reason, "ADMIN_REQUEST_INVALID");
      assert.ok(json.message.includes(`"${field}"`), json.message);
      assert.ok(json.message.length < 400, json.message);
      assert.notEqual(metadata.remedy, "");
      assert.deepEqual([encryption.asked, encryption.challenged], [[], []]);
    }));
}

/** What JSON cannot say at all. */
const UNREADABLE: [rpc: string, body: object][] = [
  ["RetireDek", { keyId: -1 }],
  ["RetireDek", { keyId: 2 ** 32 }],
  ["RetireDek", { keyId: 1.5 }],
  ["RotateDek", { purpose: "storage" }],
  ["RewrapDeks", { keks: "file:x" }],
  ["GetEncryptionState", { askMembers: "yes" }],
  ["GetEncryptionState", { ask_members: 1 }],
  ["GetEncryptionState", []],
  ["ResyncSidecar", []],
  ["GetRollout", []],
  ["ListEvents", []],
  ["StartRewrite", { bytesPerSecond: "-1" }],
  ["StartRewrite", { bytesPerSecond: "1MiB" }],
  ["Scrub", { members: "n1" }],
  ["UpdateRollout", { dwellUntilMs: "soon" }],
  ["GetCapability", { ...CHALLENGE, challenges: ["w"] }],
  ["GetCapability", { ...CHALLENGE, term: "-1" }],
];
for (const [rpc, body] of UNREADABLE) {
  Deno.test(`${rpc} cannot read ${JSON.stringify(body).slice(0, 80)}`, () =>
    withServer({}, async ({ url, encryption }) => {
      const { status, json } = await call(url, rpc, body);
      assert.deepEqual([status, json.code], [400, "invalid_argument"]);
      assert.deepEqual([encryption.asked, encryption.challenged], [[], []]);
    }));
}

Deno.test("fetch reads GetEncryptionState, u64 as strings", () =>
  withServer({}, async ({ url }) => {
    const { json } = await call(url, "GetEncryptionState", {});
    assert.equal(json.node, "n1");
    assert.equal(json.clusterId, "00010203-0405-0607-0809-0a0b0c0d0e0f");
    assert.equal(json.stateIndex, "9007199254740991");
    assert.deepEqual(json.keys[0], {
      id: 305_419_896,
      purpose: "KEY_PURPOSE_STORAGE",
      active: true,
      createdMs: "1745920800000",
      createdIndex: "184201",
      keks: [KEK],
      writers: [{
        member: "n1",
        fullNodeId: "626980046172116160",
        firstEpoch: 1,
        lastEpoch: 7,
      }],
    });
    assert.deepEqual(json.own, {
      enabled: true,
      kekIds: [KEK],
      sidecarIndex: "184201",
      epochs: [{ keyId: 305_419_896, epoch: 7 }],
    });
    assert.equal(json.findings, undefined);
  }));

Deno.test("GetEncryptionState asks the members when told", () => {
  const finding = { member: "n2", code: "X", message: "m", remedy: "r" };
  return withServer({ findings: [finding] }, async ({ url }) => {
    const asked = { askMembers: true };
    const { json } = await call(url, "GetEncryptionState", asked);
    assert.deepEqual(json.findings, [finding]);
  });
});

Deno.test("fetch reads GetCapability and ResyncSidecar", () =>
  withServer({}, async ({ url, encryption, records }) => {
    const { json } = await call(url, "GetCapability", CHALLENGE);
    assert.equal(atob(json.proof).length, 32);
    assert.deepEqual(encryption.challenged, [{
      clusterId: new Uint8Array(16),
      term: 7,
      target: 637_012_434_164_177_088n,
      challenges: [{ kek: KEK, wrapped: new Uint8Array(60).fill(0x77) }],
    }]);
    const copy = await call(url, "ResyncSidecar", {});
    assert.equal(copy.json.applied, "812344");
    assert.equal(atob(copy.json.state), "\x01\x02\x03");
    assert.equal(atob(copy.json.clusterId).length, 16);
    assert.deepEqual(records, [], "reads are not audited");
  }));

Deno.test("gRPC-Web calls everything", () =>
  withServer({}, async ({ url, encryption }) => {
    const transport = createGrpcWebTransport({ baseUrl: url });
    const client = createClient(EncryptionAdmin, transport);
    const options = { headers: HEADERS };
    const state = await client.getEncryptionState({}, options);
    assert.equal(state.keys[0]?.writers[0]?.fullNodeId, 0x08b37b07b558d4c0n);
    const challenges = [{ kek: KEK, wrapped: new Uint8Array(60) }];
    const clusterId = new Uint8Array(16);
    const asked = { clusterId, target: 1n, challenges };
    const { proof } = await client.getCapability(asked, options);
    assert.deepEqual(proof, STATEMENT.proof);
    const copy = await client.resyncSidecar({}, options);
    assert.deepEqual([...copy.state], [1, 2, 3]);
    const replies = [
      await client.bootstrap({}, options),
      await client.rotateDek({ purpose: 1 }, options),
      await client.rewrapDeks({ keks: [KEK] }, options),
      await client.registerWriter({}, options),
      await client.enableStorageEnvelope({}, options),
      await client.enableRaftEnvelope({}, options),
      await client.sealCleartext({}, options),
      await client.retireDek({ keyId: 7 }, options),
      await client.startRewrite({}, options),
      await client.pauseRewrite({}, options),
      await client.resumeRewrite({}, options),
      await client.scrub({}, options),
      await client.updateRollout({}, options),
    ];
    assert.ok(replies.every(({ change }) => change?.index === 184_273n));
    assert.equal(encryption.asked.length, replies.length);
  }));

/** Each alone: Deno 2.5.7 keeps a connection open after some of them. */
const FAILING: [
  name: string,
  ask: (
    client: Client<typeof EncryptionAdmin>,
    options: { headers: HeadersInit },
  ) => Promise<unknown>,
][] = [
  ["WatchRewrite", async (client, options) => {
    for await (const _ of client.watchRewrite({}, options)) assert.fail();
  }],
  ["VerifyRecords", async (client, options) => {
    for await (const _ of client.verifyRecords({}, options)) assert.fail();
  }],
];
const notLeading = (): never => {
  throw new NotLeaderError("n2", "127.0.0.1:4524");
};
for (const [name, ask] of FAILING) {
  for (const token of [TOKEN, "another-token"]) {
    const [code, reason] = token === TOKEN
      ? [Code.FailedPrecondition, "NODE_NOT_LEADER"]
      : [Code.Unauthenticated, "ADMIN_TOKEN_REJECTED"];
    Deno.test(`gRPC-Web reads ${reason} of ${name}`, () =>
      withServer({
        rewriteProgress: notLeading,
        scanRecords: notLeading,
      }, async ({ url }) => {
        const transport = createGrpcWebTransport({ baseUrl: url });
        const client = createClient(EncryptionAdmin, transport);
        const headers = { authorization: `Bearer ${token}` };
        await assert.rejects(ask(client, { headers }), (error) => {
          assert.ok(error instanceof ConnectError);
          assert.equal(error.code, code);
          const [info] = error.findDetails(ErrorInfoSchema);
          assert.equal(info?.reason, reason);
          return true;
        });
      }));
  }
}

Deno.test("members that did not prove it are named with their remedies", () =>
  withServer({
    change: () => {
      throw new CapabilityUnprovenError("bootstrap", [
        { member: "n1", code: "", message: "", remedy: "" },
        {
          member: "n2",
          code: "KEYS_KEK_MISMATCH",
          message: "m2",
          remedy: "r2",
        },
        { member: "n3", code: "NODE_NOT_READY", message: "m3", remedy: "r3" },
      ]);
    },
  }, async ({ url }) => {
    const { status, json } = await call(url, "Bootstrap", {});
    assert.deepEqual([status, json.code], [400, "failed_precondition"]);
    const { reason, metadata } = json.details[0].debug;
    assert.equal(reason, "NODE_CAPABILITY_UNPROVEN");
    assert.deepEqual({ ...metadata, remedy: "" }, {
      remedy: "",
      nodes: "n2,n3",
      "code.n2": "KEYS_KEK_MISMATCH",
      "message.n2": "m2",
      "remedy.n2": "r2",
      "code.n3": "NODE_NOT_READY",
      "message.n3": "m3",
      "remedy.n3": "r3",
    });
    assert.match(metadata.remedy, /n2: r2; n3: r3$/);
  }));

Deno.test("a member that does not lead names the leader", () =>
  withServer({
    change: () => {
      throw new NotLeaderError("n2", "127.0.0.1:4524");
    },
  }, async ({ url }) => {
    const { json } = await call(url, "RotateDek", { purpose: 1 });
    const { reason, metadata } = json.details[0].debug;
    assert.equal(reason, "NODE_NOT_LEADER");
    assert.equal(metadata.leader_admin, "127.0.0.1:4524");
  }));

Deno.test("a change whose caller left is audited all the same", async () => {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  await withServer({
    change: async (request, terms) => {
      begun.resolve();
      await go.promise;
      return changed(request, terms);
    },
  }, async ({ url, records }) => {
    const leave = new AbortController();
    const left = fetch(`${url}/${SERVICE}/Bootstrap`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "sealkv-actor": "ana@laptop",
        ...HEADERS,
      },
      body: "{}",
      signal: leave.signal,
    }).catch(() => {});
    await begun.promise;
    leave.abort();
    await left;
    go.resolve();
    while (records.length === 0) await new Promise((r) => setTimeout(r, 5));
    const [{ actor, remote, result, index } = assert.fail()] = records;
    assert.deepEqual([actor, remote], ["ana@laptop", "127.0.0.1"]);
    assert.deepEqual([result, index], ["done", 184_273n]);
  });
});
