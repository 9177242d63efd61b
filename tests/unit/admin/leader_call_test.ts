import assert from "node:assert/strict";
import { makeAdminClient } from "../../../src/admin/client.ts";
import {
  AdminUnreachableError,
  RemoteError,
} from "../../../src/admin/errors.ts";
import { adminHandler } from "../../../src/admin/handler.ts";
import type { NodeError } from "../../../src/base/error.ts";
import { denoClock } from "../../../src/io/deno/clock.ts";
import {
  NotLeaderError,
  QuorumAtRiskError,
} from "../../../src/node/member_errors.ts";
import { NotReadyError } from "../../../src/node/errors.ts";
import type { NodeStatus } from "../../../src/node/port.ts";
import { eagerClock } from "../rollout/eager_clock.ts";
import { fakeEncryption } from "./fake_encryption.ts";
import {
  type FakeNode,
  fakeNode,
  MEMBER,
  planOf,
  recordingAudit,
  recordingLog,
  STATUS,
  VITALS,
} from "./fake_node.ts";

const TOKEN = "admin-token-123";

/** n1 to n3 at h:1 to h:3; `leader` may change while the test runs. */
class Cluster {
  leader = "n2";
  /** Members that take no connection. */
  readonly down = new Set<string>();
  /** Members that hear nothing of the others. */
  readonly cutOff = new Set<string>();
  /** Members that take connections, and nothing more. */
  readonly frozen = new Set<string>();
  /** Members that lose the answer of a change. */
  readonly lossy = new Set<string>();
  readonly nodes: ReadonlyMap<string, FakeNode>;
  /** "host method" of each request, in order. */
  readonly asked: string[] = [];
  /** Called before each request. */
  onAsk: (count: number) => void = () => {};

  constructor() {
    this.nodes = new Map(["n1", "n2", "n3"].map((name) => [
      name,
      fakeNode({
        status: () => this.#status(name),
        change: (request, terms) => {
          if (this.leader === name) return planOf(request, terms);
          throw new NotLeaderError(this.leader, this.#address(this.leader));
        },
      }),
    ]));
  }

  client(
    admin = "h:1,h:2,h:3",
    { timeoutMs = 5_000, clock = denoClock() } = {},
  ) {
    return makeAdminClient({
      ...{ admin, token: TOKEN, isTls: false, timeoutMs, clock },
      actor: "ana@laptop",
      http: { fetch: (request) => this.#fetch(request), close() {} },
    });
  }

  async #fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const name = `n${url.port}`;
    const rpc = url.pathname.split("/").pop();
    this.asked.push(`${name} ${rpc}`);
    this.onAsk(this.asked.length);
    const node = this.nodes.get(name);
    if (node === undefined || this.down.has(name)) {
      throw new TypeError("connection refused");
    }
    if (this.frozen.has(name)) return await ended(request.signal);
    const handle = adminHandler({
      encryption: fakeEncryption(),
      audit: recordingAudit(),
      node,
      vitals: () => Promise.resolve(VITALS),
      isAdminToken: (token) => Promise.resolve(token === TOKEN),
      clock: denoClock(),
      log: recordingLog(),
      stopping: new AbortController().signal,
    });
    const answer = await handle(request, { hostname: "h", port: 1 });
    if (this.lossy.has(name) && rpc !== "GetStatus") {
      throw new TypeError("connection reset");
    }
    return answer;
  }

  #status(name: string): NodeStatus {
    const members = ["n1", "n2", "n3"].map((member, position) => ({
      ...MEMBER,
      id: position + 1,
      name: member,
      adminAddress: this.#address(member),
    }));
    const leader = this.cutOff.has(name) ? "" : this.leader;
    return { ...STATUS, node: name, leader, members };
  }

  #address(name: string): string {
    return name === "" ? "" : `h:${name.slice(1)}`;
  }
}

/** Never answers. */
function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

Deno.test("a change goes to the leader, asked from another member", async () => {
  const cluster = new Cluster();
  const outcome = await cluster.client("h:1").removeMember("n3", {
    confirm: "prod-eu-1",
    accept: ["quorum-loss"],
  });
  assert.equal(outcome.changed, true);
  assert.equal(outcome.memberId, 17n);
  assert.deepEqual(cluster.asked, [
    "n1 GetStatus",
    "n2 GetStatus",
    "n2 RemoveMember",
  ]);
  assert.deepEqual(cluster.nodes.get("n2")?.asked[0]?.terms, {
    actor: "ana@laptop",
    dryRun: false,
    planHash: "",
    confirm: "prod-eu-1",
    accept: ["quorum-loss"],
  });
});

Deno.test("a change skips members that are down", async () => {
  const cluster = new Cluster();
  cluster.down.add("n1");
  await cluster.client().promoteMember("n3");
  assert.deepEqual(cluster.asked.slice(-1), ["n2 PromoteMember"]);
});

Deno.test("a change follows a leader that moves meanwhile", async () => {
  const cluster = new Cluster();
  cluster.onAsk = (count) => {
    if (count === 3) cluster.leader = "n3";
  };
  await cluster.client("h:1").transferLeader("");
  assert.deepEqual(cluster.asked.slice(2), [
    "n2 TransferLeader",
    "n3 TransferLeader",
  ]);
});

Deno.test("a change waits for a leader and gives up in time", async () => {
  const cluster = new Cluster();
  cluster.leader = "";
  cluster.onAsk = (count) => {
    if (count === 3) cluster.leader = "n1";
  };
  const clock = eagerClock();
  const client = cluster.client("h:1", { clock });
  await client.promoteMember("n3");
  cluster.leader = "";
  cluster.onAsk = () => {};
  const fromMs = clock.monotonicMs();
  await assert.rejects(client.promoteMember("n3"), { code: "ADMIN_NO_LEADER" });
  const tookMs = clock.monotonicMs() - fromMs;
  assert.ok(tookMs > 4_000 && tookMs <= 5_000, `${tookMs} ms`);
});

Deno.test("a change ends after a bounded number of hops", async () => {
  const cluster = new Cluster();
  // Every member says that another one leads.
  cluster.onAsk = (count) => {
    if (count > 2) {
      cluster.leader = cluster.asked.length % 2 === 0 ? "n3" : "n1";
    }
    if (cluster.asked.at(-1)?.startsWith(cluster.leader)) cluster.leader = "n2";
  };
  await assert.rejects(
    cluster.client("h:1").promoteMember("n3"),
    { code: "NODE_NOT_LEADER" },
  );
  assert.ok(cluster.asked.length < 20, cluster.asked.join("\n"));
});

Deno.test("a leader that nobody reaches is no leader", async () => {
  const cluster = new Cluster();
  cluster.down.add("n2");
  await assert.rejects(
    cluster.client("h:1", { clock: eagerClock() }).promoteMember("n3"),
    (error) => {
      assert.ok(error instanceof Error);
      assert.equal((error as NodeError).code, "ADMIN_NO_LEADER");
      assert.match(String(error.cause), /http:\/\/h:2/);
      return true;
    },
  );
});

Deno.test("a change without an answer is unknown, and sent once", async () => {
  const cluster = new Cluster();
  cluster.lossy.add("n2");
  await assert.rejects(
    cluster.client().removeMember("n3", { confirm: "prod-eu-1" }),
    { code: "ADMIN_OUTCOME_UNKNOWN" },
  );
  const sent = cluster.asked.filter((rpc) => rpc.endsWith("RemoveMember"));
  assert.equal(sent.length, 1);
});

Deno.test("a dry run without an answer is asked again", async () => {
  const cluster = new Cluster();
  cluster.lossy.add("n2");
  cluster.onAsk = () => {
    if (cluster.asked.at(-1) === "n2 RemoveMember") cluster.leader = "n3";
  };
  const { changed } = await cluster.client()
    .removeMember("n1", { dryRun: true });
  assert.equal(changed, false);
});

Deno.test("a dry run that is never answered found nobody", async () => {
  const cluster = new Cluster();
  cluster.lossy.add("n2");
  await assert.rejects(
    cluster.client().removeMember("n1", { dryRun: true }),
    AdminUnreachableError,
  );
});

const REFUSALS: [name: string, error: NodeError, isFinal: boolean][] = [
  [
    "a risk",
    new QuorumAtRiskError("remove n3", { healthy: 1, needed: 2 }),
    true,
  ],
  ["a moment", new NotReadyError("it just leads"), false],
];
for (const [name, error, isFinal] of REFUSALS) {
  Deno.test(`a change refused for ${name} is ${isFinal ? "refused" : "asked again"}`, async () => {
    const cluster = new Cluster();
    let isFirst = true;
    const change: FakeNode["changeMembers"] = async (request, terms) => {
      if (!isFirst) return planOf(request, terms);
      isFirst = false;
      throw error;
    };
    Object.assign(cluster.nodes.get("n2") ?? {}, { changeMembers: change });
    const call = cluster.client().promoteMember("n3");
    if (!isFinal) assert.equal((await call).changed, true);
    else {
      await assert.rejects(call, (refusal) => {
        assert.ok(refusal instanceof RemoteError);
        assert.equal(refusal.code, error.code);
        assert.equal(refusal.remedy, error.remedy);
        return true;
      });
    }
  });
}

Deno.test("a change asked of a member that is cut off finds the leader", async () => {
  const cluster = new Cluster();
  cluster.cutOff.add("n1");
  await cluster.client().promoteMember("n3");
  assert.deepEqual(cluster.asked, [
    "n1 GetStatus",
    "n2 GetStatus",
    "n2 PromoteMember",
  ]);
});

Deno.test("the status comes from a member that knows a leader, if one does", async () => {
  const cluster = new Cluster();
  cluster.cutOff.add("n1");
  const client = cluster.client();
  assert.equal((await client.getStatus()).node, "n2");
  cluster.down.add("n2").add("n3");
  assert.equal((await client.getStatus()).node, "n1");
});

Deno.test("a leader that stands still is not waited for once there is another", async () => {
  const cluster = new Cluster();
  cluster.frozen.add("n2");
  const client = cluster.client("h:1,h:2,h:3", { timeoutMs: 60_000 });
  cluster.onAsk = (count) => {
    if (count === 2) cluster.leader = "n3";
  };
  await client.promoteMember("n3");
  assert.deepEqual(cluster.asked, [
    "n1 GetStatus",
    "n2 GetStatus",
    "n1 GetStatus",
    "n3 GetStatus",
    "n3 PromoteMember",
  ]);
});
