/*
 * Goal: the client gives back what members say about encryption, and takes
 * changes to the leader once.
 * Method: three members in memory behind one client.
 */
import assert from "node:assert/strict";
import {
  type AdminClient,
  type ChangeOptions,
  makeAdminClient,
} from "../../../src/admin/client.ts";
import {
  AdminOutcomeUnknownError,
  AdminUnreachableError,
  RemoteError,
} from "../../../src/admin/errors.ts";
import { adminHandler } from "../../../src/admin/handler.ts";
import { denoClock } from "../../../src/io/deno/clock.ts";
import type {
  EncryptionPort,
  EncryptionRequest,
} from "../../../src/node/encryption_port.ts";
import { NotLeaderError } from "../../../src/node/member_errors.ts";
import {
  changed,
  ENCRYPTION,
  type FakeEncryption,
  fakeEncryption,
  ROLLOUT,
  RUNNING,
  scanned,
  STATEMENT,
} from "./fake_encryption.ts";
import {
  fakeNode,
  MEMBER,
  PLAN_HASH,
  recordingAudit,
  recordingLog,
  STATUS,
  VITALS,
} from "./fake_node.ts";

const TOKEN = "admin-token-123";
const NAMES = ["n1", "n2", "n3"];
const FINDING = { member: "n3", code: "C", message: "m", remedy: "r" };

/** Members at h:1, h:2 and h:3; n2 leads. */
class Cluster {
  readonly audit = recordingAudit();
  readonly asked: string[] = [];
  /** The time that each of them is given, in ms; `null` for no limit. */
  readonly limits: (string | null)[] = [];
  readonly down = new Set<string>();
  /** Members that nobody knows the address of. */
  readonly unknown = new Set<string>();
  readonly lossy = new Set<string>();
  readonly ports: ReadonlyMap<string, FakeEncryption>;
  scan: EncryptionPort["scanRecords"] = scanned;
  progress: EncryptionPort["rewriteProgress"] = () =>
    Promise.resolve([RUNNING]);
  change: ReturnType<EncryptionPort["changeUnderWay"]> = null;
  slow: () => Promise<void> = () => Promise.resolve();

  constructor() {
    this.ports = new Map(NAMES.map((node) => [
      node,
      fakeEncryption({
        status: { ...ENCRYPTION, node },
        findings: [FINDING],
        rollout: ROLLOUT,
        change: async (request, terms) => {
          mustLead(node);
          await this.slow();
          return changed(request, terms);
        },
        scanRecords: (members) => {
          mustLead(node);
          return this.scan(members);
        },
        changeUnderWay: () => {
          mustLead(node);
          return this.change;
        },
        rewriteProgress: async () => {
          mustLead(node);
          return await this.progress();
        },
      }),
    ]));
  }

  client(admin = "h:1") {
    return makeAdminClient({
      ...{ admin, token: TOKEN, actor: "josé ñ@laptop", isTls: false },
      timeoutMs: 5_000,
      clock: denoClock(),
      http: {
        fetch: (request) =>
          Promise.race([this.#fetch(request), abortOf(request)]),
        close() {},
      },
    });
  }

  async #fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const node = `n${url.port}`;
    const rpc = url.pathname.split("/").pop() ?? "";
    this.asked.push(`${node} ${rpc}`);
    this.limits.push(request.headers.get("connect-timeout-ms"));
    const encryption = this.ports.get(node);
    if (encryption === undefined || this.down.has(node)) {
      throw new TypeError("connection refused");
    }
    const members = NAMES.map((name, i) => ({
      ...MEMBER,
      id: i + 1,
      name,
      adminAddress: this.unknown.has(name) ? "" : `h:${i + 1}`,
    }));
    const answer = await adminHandler({
      node: fakeNode({
        status: () => ({ ...STATUS, node, leader: "n2", members }),
      }),
      encryption,
      audit: this.audit,
      vitals: () => Promise.resolve({ ...VITALS, node }),
      isAdminToken: (token) => Promise.resolve(token === TOKEN),
      clock: denoClock(),
      log: recordingLog(),
      stopping: new AbortController().signal,
    })(request, { hostname: "10.0.0.9", port: 1 });
    if (this.lossy.has(node) && rpc !== "GetStatus") {
      throw new TypeError("connection reset");
    }
    return answer;
  }
}

/** Rejects as a real fetch does when its caller gives up. */
function abortOf({ signal }: Request): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

function mustLead(node: string): void {
  if (node !== "n2") throw new NotLeaderError("n2", "h:2");
}

Deno.test("encryptionState() gives every field back", async () => {
  const { clusterId: _, ...rest } = ENCRYPTION;
  assert.deepEqual(await new Cluster().client().encryptionState(), {
    ...rest,
    clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    applied: 812_344n,
    stateIndex: 2n ** 53n - 1n,
    storageCutoverIndex: 0n,
    raftCutoverIndex: 0n,
    cleartextLockIndex: 0n,
    keys: ENCRYPTION.keys.map((key) => ({
      ...key,
      createdMs: BigInt(key.createdMs),
      createdIndex: BigInt(key.createdIndex),
      deactivatedIndex: BigInt(key.deactivatedIndex),
    })),
    own: { ...ENCRYPTION.own, sidecarIndex: 184_201n },
  });
});

Deno.test("encryptionState() comes from the first member that answers", async () => {
  const cluster = new Cluster();
  cluster.down.add("n1");
  const state = await cluster.client("h:1,h:3").encryptionState();
  assert.equal(state.node, "n3");
});

Deno.test("encryptionOfMembers() asks each member at its own address", async () => {
  const cluster = new Cluster();
  cluster.down.add("n3");
  const answers = await cluster.client().encryptionOfMembers();
  assert.deepEqual(
    answers.map(({ member, encryption, failure }) => [
      member,
      encryption?.node ?? null,
      failure?.code ?? null,
    ]),
    [
      ["n1", "n1", null],
      ["n2", "n2", null],
      ["n3", null, "ADMIN_UNREACHABLE"],
    ],
  );
});

Deno.test("encryptionOfMembers() needs no address of who answers", async () => {
  const cluster = new Cluster();
  cluster.unknown.add("n1").add("n2");
  const answers = await cluster.client().encryptionOfMembers();
  assert.deepEqual(answers.map(({ failure }) => failure?.code ?? ""), [
    "",
    "ADMIN_UNREACHABLE",
    "",
  ]);
});

Deno.test("capabilities() and resyncState() come from the leader", async () => {
  const cluster = new Cluster();
  const client = cluster.client();
  assert.deepEqual(await client.capabilities(), [FINDING]);
  const copy = await client.resyncState();
  assert.deepEqual(copy, {
    clusterId: ENCRYPTION.clusterId,
    applied: 812_344n,
    state: Uint8Array.of(1, 2, 3),
  });
  assert.deepEqual(
    cluster.asked.filter((ask) => !ask.endsWith("GetStatus")),
    ["n2 GetEncryptionState", "n2 ResyncSidecar"],
  );
});

Deno.test("changeUnderWay() comes from the leader", async () => {
  const cluster = new Cluster();
  const client = cluster.client();
  assert.equal(await client.changeUnderWay(), null);
  cluster.change = { action: "retire-dek", members: [RUNNING] };
  assert.deepEqual(await client.changeUnderWay(), {
    action: "retire-dek",
    members: [{
      ...RUNNING,
      done: 5n,
      total: 10n,
      bytes: 2n ** 40n,
      elapsedMs: 1_500n,
    }],
  });
  assert.ok(cluster.asked.includes("n2 GetChangeUnderWay"));
  assert.ok(!cluster.asked.includes("n1 GetChangeUnderWay"));
});

Deno.test("vitalsOfMembers() asks each member at its own address", async () => {
  const cluster = new Cluster();
  cluster.down.add("n3");
  const answers = await cluster.client().vitalsOfMembers();
  assert.deepEqual(answers[0], {
    member: "n1",
    vitals: { ...VITALS, node: "n1" },
    failure: null,
  });
  assert.deepEqual(
    answers.map(({ member, vitals, failure }) => [
      member,
      vitals?.node ?? null,
      failure?.code ?? null,
    ]),
    [
      ["n1", "n1", null],
      ["n2", "n2", null],
      ["n3", null, "ADMIN_UNREACHABLE"],
    ],
  );
});

Deno.test("getCapability() asks the member that it dials", async () => {
  const cluster = new Cluster();
  const ask = {
    clusterId: new Uint8Array(16).fill(9),
    term: 2 ** 53 - 1,
    target: 2n ** 64n - 1n,
    challenges: [{ kek: "file:1", wrapped: new Uint8Array(60).fill(1) }],
  };
  assert.deepEqual(await cluster.client("h:3").getCapability(ask), STATEMENT);
  assert.deepEqual(cluster.ports.get("n3")?.challenged, [ask]);
});

Deno.test("a change goes to the leader, with all that was said", async () => {
  const cluster = new Cluster();
  const outcome = await cluster.client().rewrapDeks(["file:1"], {
    planHash: PLAN_HASH,
    confirm: "prod",
  });
  assert.deepEqual(outcome, {
    plan: { hash: PLAN_HASH, steps: ["rewrap-deks it"] },
    changed: true,
    index: 184_273n,
    unreachable: ["n3"],
  });
  assert.deepEqual(cluster.ports.get("n2")?.asked, [{
    request: { kind: "rewrap-deks", keks: ["file:1"] },
    terms: {
      dryRun: false,
      planHash: PLAN_HASH,
      confirm: "prod",
      accept: [],
      actor: "jos@laptop",
    },
  }]);
  assert.deepEqual(cluster.audit.records.map(({ actor }) => actor), [
    "jos@laptop",
  ]);
});

const CHANGES: [
  ask: (client: AdminClient, options: ChangeOptions) => Promise<unknown>,
  request: EncryptionRequest,
][] = [
  [(c, o) => c.bootstrap(o), { kind: "bootstrap" }],
  [(c, o) => c.registerWriter(o), { kind: "register-writer" }],
  [(c, o) => c.enableStorageEnvelope(o), { kind: "enable-storage-envelope" }],
  [(c, o) => c.enableRaftEnvelope(o), { kind: "enable-raft-envelope" }],
  [(c, o) => c.sealCleartext(o), { kind: "seal-cleartext" }],
  [(c, o) => c.startRewrite(7, o), {
    kind: "start-rewrite",
    bytesPerSecond: 7,
  }],
  [(c, o) => c.pauseRewrite(o), { kind: "pause-rewrite" }],
  [(c, o) => c.resumeRewrite(null, o), {
    kind: "resume-rewrite",
    bytesPerSecond: null,
  }],
  [(c, o) => c.resumeRewrite(0, o), {
    kind: "resume-rewrite",
    bytesPerSecond: 0,
  }],
  [(c, o) => c.scrub([], o), { kind: "scrub", members: [] }],
  [(c, o) => c.scrub(["n2"], o), { kind: "scrub", members: ["n2"] }],
  [(c, o) => c.updateRollout(9, o), {
    kind: "update-rollout",
    dwellUntilMs: 9,
  }],
];
for (const [ask, request] of CHANGES) {
  Deno.test(`the client asks for ${JSON.stringify(request)}`, async () => {
    const cluster = new Cluster();
    await ask(cluster.client("h:2"), { dryRun: true });
    const [asked] = cluster.ports.get("n2")?.asked ?? [];
    assert.deepEqual(asked?.request, request);
    assert.equal(asked?.terms.dryRun, true);
    assert.equal(asked?.terms.actor, "jos@laptop");
  });
}

Deno.test("rotateDek() and retireDek() say of what", async () => {
  const cluster = new Cluster();
  const client = cluster.client("h:2");
  await client.rotateDek("storage");
  await client.rotateDek("raft");
  await client.retireDek(7);
  assert.deepEqual(
    cluster.ports.get("n2")?.asked.map(({ request }) => request),
    [
      { kind: "rotate-dek", purpose: "storage" },
      { kind: "rotate-dek", purpose: "raft" },
      { kind: "retire-dek", keyId: 7 },
    ],
  );
});

Deno.test("a change without an answer is unknown, and sent once", async () => {
  const cluster = new Cluster();
  cluster.lossy.add("n2");
  await assert.rejects(cluster.client().rotateDek("raft"), (error) => {
    assert.ok(error instanceof AdminOutcomeUnknownError);
    return true;
  });
  assert.equal(cluster.ports.get("n2")?.asked.length, 1);
});

Deno.test("rollout() and events() come from the first member that answers", async () => {
  const cluster = new Cluster();
  cluster.down.add("n1");
  const client = cluster.client("h:1,h:3");
  assert.deepEqual(await client.rollout(), {
    rewrite: { id: 184_300n, bytesPerSecond: 8_388_608n, isPaused: true },
    dwellUntilMs: 1_745_924_400_000n,
  });
  const events = await client.events();
  assert.deepEqual(
    events,
    ROLLOUT.events.map((event) => ({
      ...event,
      index: BigInt(event.index),
      atMs: BigInt(event.atMs),
      entry: BigInt(event.entry),
    })),
  );
});

Deno.test("verifyRecords() has the leader's members count", async () => {
  const cluster = new Cluster();
  const told = [];
  for await (const scans of cluster.client().verifyRecords(["n3"])) {
    told.push(scans);
  }
  const running = {
    member: "n3",
    state: "running",
    done: 5n,
    total: 10n,
    bytes: 2n ** 40n,
    elapsedMs: 1_500n,
    failure: "",
  };
  const sealed = [
    { keyId: 7, records: 2n ** 50n },
    { keyId: 9, records: 4n },
  ];
  assert.deepEqual(told, [
    [{ ...running, counts: null }],
    [{ ...running, state: "done", counts: { cleartext: 3n, sealed } }],
  ]);
  assert.ok(cluster.asked.includes("n2 VerifyRecords"));
});

Deno.test("verifyRecords() tells a leader that goes amid the count", async () => {
  const cluster = new Cluster();
  cluster.scan = async function* (members) {
    yield* scanned(members);
    throw new NotLeaderError("n3", "h:3");
  };
  const told: unknown[] = [];
  await assert.rejects(async () => {
    for await (const scans of cluster.client().verifyRecords([])) {
      told.push(scans);
    }
  }, (error) => {
    assert.ok(error instanceof RemoteError);
    assert.equal(error.code, "NODE_NOT_LEADER");
    return true;
  });
  assert.equal(told.length, 2);
});

Deno.test("watchRewrite() tells the leader's view until it is left", async () => {
  const cluster = new Cluster();
  for await (const { job, members } of cluster.client().watchRewrite()) {
    assert.equal(job?.id, 184_300n);
    assert.deepEqual(members.map(({ state }) => state), ["running"]);
    break;
  }
  assert.equal(cluster.asked.at(-1), "n2 WatchRewrite");
});

Deno.test("watchRewrite() goes on with the next leader", async () => {
  const cluster = new Cluster();
  let looks = 0;
  cluster.progress = () => {
    looks += 1;
    if (looks === 2) throw new NotLeaderError("", "");
    return Promise.resolve([RUNNING]);
  };
  let told = 0;
  for await (const _ of cluster.client().watchRewrite()) {
    told += 1;
    if (told === 2) break;
  }
  assert.equal(looks, 3);
});

Deno.test("watchRewrite() ends with its signal, without an error", async () => {
  const cluster = new Cluster();
  const stop = new AbortController();
  for await (const _ of cluster.client().watchRewrite(stop.signal)) {
    stop.abort();
  }
});

Deno.test("watchRewrite() of nobody fails at once", async () => {
  const cluster = new Cluster();
  for (const name of NAMES) cluster.down.add(name);
  await assert.rejects(async () => {
    for await (const _ of cluster.client().watchRewrite()) assert.fail();
  }, AdminUnreachableError);
});

Deno.test("a change with a signal waits for it and no longer", async () => {
  const cluster = new Cluster();
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  cluster.slow = async () => {
    begun.resolve();
    await go.promise;
  };
  const stop = new AbortController();
  const { signal } = stop;
  const asked = cluster.client("h:2").sealCleartext({ signal });
  await begun.promise;
  assert.deepEqual(cluster.asked, ["n2 GetStatus", "n2 SealCleartext"]);
  assert.deepEqual(cluster.limits, ["5000", null]);
  stop.abort();
  await assert.rejects(asked, AdminOutcomeUnknownError);
  go.resolve();
});

Deno.test("what no member answers is said to be so", async () => {
  const cluster = new Cluster();
  for (const name of NAMES) cluster.down.add(name);
  const client = cluster.client("h:1,h:2,h:3");
  for (
    const ask of [
      client.encryptionState(),
      client.encryptionOfMembers(),
      client.resyncState(),
      client.bootstrap(),
    ]
  ) await assert.rejects(ask, AdminUnreachableError);
});

Deno.test("a refused token is a refusal, not silence", async () => {
  const cluster = new Cluster();
  const client = makeAdminClient({
    ...{ admin: "h:1", token: "another-token", actor: "", isTls: false },
    timeoutMs: 5_000,
    clock: denoClock(),
    http: {
      fetch: async (request) =>
        await adminHandler({
          node: fakeNode(),
          encryption: fakeEncryption(),
          audit: cluster.audit,
          vitals: () => Promise.resolve(VITALS),
          isAdminToken: () => Promise.resolve(false),
          clock: denoClock(),
          log: recordingLog(),
          stopping: new AbortController().signal,
        })(request, { hostname: "h", port: 1 }),
      close() {},
    },
  });
  await assert.rejects(client.encryptionState(), (error) => {
    assert.ok(error instanceof RemoteError);
    assert.equal(error.code, "ADMIN_TOKEN_REJECTED");
    return true;
  });
});
