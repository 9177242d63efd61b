import assert from "node:assert/strict";
import {
  AdminNoLeaderError,
  AdminUnreachableError,
  RemoteError,
} from "../../../src/admin/errors.ts";
import { clusterOf, DOWN, FRESH, LEADER } from "./cluster.ts";
import { taskOf } from "./encryption/values.ts";
import { runIn, type World } from "./fake_services.ts";

const STATUS = clusterOf(LEADER, DOWN);
const SCREEN =
  `cluster prod-eu-1   leader n1   term 7   phase 0 (capable)   seen by n1

   name  role      up   ready   lag  applied  phase  feed
*  n1    leader    yes  yes       0      812      0  -
   n3    follower  NO   NO     4210      812      0  probe

   name  clients        peers          operators
*  n1    10.0.0.1:4512  10.0.0.1:4513  10.0.0.1:4514
   n3    10.0.0.3:4512  10.0.0.3:4513  10.0.0.3:4514
`;

Deno.test("status shows every member on one screen", async () => {
  const { code, out } = await runIn({ statuses: [STATUS] }, "status");
  assert.deepEqual([code, out], [0, SCREEN]);
});

Deno.test("status --node shows one member, and knows no other", async () => {
  const world: World = { statuses: [STATUS] };
  const one = await runIn(world, "status", "--node", "n3", "--json");
  const names = JSON.parse(one.out).members.map((m: { name: string }) =>
    m.name
  );
  assert.deepEqual(names, ["n3"]);
  const none = await runIn(world, "status", "--node", "n9");
  assert.equal(none.code, 2);
  assert.match(none.err, /Give a member's name, as n1/);
});

Deno.test("status --json has the promised fields, u64 as strings", async () => {
  const { out } = await runIn({ statuses: [STATUS] }, "status", "--json");
  const json = JSON.parse(out);
  assert.equal(out.trimEnd().split("\n").length, 1);
  assert.deepEqual(
    [json.cluster, json.leader, json.term, json.phase],
    ["prod-eu-1", "n1", "7", 0],
  );
  assert.deepEqual(json.members[0], {
    name: "n1",
    role: "leader",
    up: true,
    ready: true,
    lag: "0",
    applied: "812",
    phase: 0,
    id: "1",
    isVoter: true,
    replication: "unknown",
    peerAddress: "10.0.0.1:4513",
    clientAddress: "10.0.0.1:4512",
    adminAddress: "10.0.0.1:4514",
    hasStarted: true,
  });
});

const JOB = { id: 900n, bytesPerSecond: 0n, isPaused: false };
const REWRITING: World = {
  statuses: [STATUS],
  rollout: { rewrite: JOB, dwellUntilMs: 0n },
  progress: [{
    job: JOB,
    members: [taskOf("n1", { bytes: 0n }), taskOf("n3", { state: "silent" })],
  }],
};

Deno.test("status shows how far members are with the rewrite", async () => {
  const { code, out } = await runIn(REWRITING, "status");
  assert.equal(code, 0);
  assert.deepEqual(out.split("\n").slice(1, 5), [
    "rewrite under way, no bound",
    "n1 [##########----------]  50% 2 s left, 50/100 records",
    "n3 NO ANSWER",
    "",
  ]);
  const one = await runIn(REWRITING, "status", "--node", "n3", "--json");
  const { rewrite } = JSON.parse(one.out);
  assert.deepEqual([rewrite.id, rewrite.paused], ["900", false]);
  assert.deepEqual(
    rewrite.members.map((task: { member: string }) => task.member),
    ["n3"],
  );
});

Deno.test("status does not wait for a leader to tell of the rewrite", async () => {
  const ask = async (world: World) => {
    const text = await runIn(world, "status");
    const json = await runIn(world, "status", "--json");
    assert.deepEqual([text.code, json.code], [0, 0]);
    return { text: text.out, rewrite: JSON.parse(json.out).rewrite };
  };
  const nobody = await ask({
    ...REWRITING,
    statuses: [{ ...STATUS, leader: "" }],
    progress: [new AdminNoLeaderError(10)],
  });
  assert.match(nobody.text, /rewrite under way.*\n.*none answers\n/);
  assert.equal(nobody.rewrite.members, null);
  const silent = await ask({ ...REWRITING, progress: [], onTimer: () => {} });
  assert.match(silent.text, /rewrite under way.*\n.*none answers\n/);
});

Deno.test("status says no word of a rewrite that never was", async () => {
  const { out } = await runIn({ statuses: [STATUS] }, "status", "--json");
  assert.equal(JSON.parse(out).rewrite, null);
});

Deno.test("status fits 80 columns, whatever names and addresses are", async () => {
  const long = {
    ...FRESH,
    name: "a".repeat(63),
    lag: 99_999_999n,
    applied: 99_999_999n,
    replication: "replicate",
    clientAddress: `${"client.example.org".repeat(5)}:65535`,
    peerAddress: "[2001:db8:1234:5678:9abc:def0:1234:5678]:4513",
  } as const;
  const { out } = await runIn(
    { statuses: [clusterOf(LEADER, long)] },
    "status",
  );
  for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(out, /learner/);
  assert.match(out, /…\S*:65535/);
});

Deno.test("status before the first leader says so", async () => {
  const fresh = { ...STATUS, cluster: "", leader: "", members: [] };
  const { out } = await runIn({ statuses: [fresh] }, "status");
  assert.match(out, /^cluster \(no name yet\) {3}leader \(none\)/);
});

Deno.test("status --watch prints lines, outlives silence, ends with 130", async () => {
  const silence = new AdminUnreachableError(["http://h:1"]);
  const { code, out, err } = await runIn(
    {
      statuses: [STATUS, silence, STATUS],
      onWatchEnd: (raise) => raise("SIGINT"),
    },
    "status",
    "--watch",
  );
  assert.equal(code, 130);
  const line = out.split("\n")[0];
  assert.equal(
    line,
    "cluster=prod-eu-1 term=7 name=n1 role=leader up=yes ready=yes lag=0 " +
      "applied=812 phase=0 feed=-",
  );
  assert.equal(out.trimEnd().split("\n").length, 2);
  assert.match(err, /^no answer, last one 2 s ago: Cannot reach/);
  assert.ok(!out.includes("\x1b"));
});

Deno.test("status --watch redraws a terminal, without colour if unwanted", async () => {
  const world: World = {
    statuses: [STATUS],
    isTerminal: true,
    env: { SEALKV_ADMIN_TOKEN: "admin-token-123", NO_COLOR: "1" },
    onWatchEnd: (raise) => raise("SIGTERM"),
  };
  const { out } = await runIn(world, "status", "--watch");
  assert.equal(out, `\x1b[H\x1b[2J${SCREEN}`);
});

const FAILED: [name: string, error: Error, code: number][] = [
  ["nobody", new AdminUnreachableError(["http://h:1"]), 5],
  ["a wrong token", new RemoteError("ADMIN_TOKEN_REJECTED", "m", "r"), 78],
];
for (const [name, error, code] of FAILED) {
  Deno.test(`status that reaches ${name} ends with ${code}`, async () => {
    const world: World = { statuses: [error] };
    assert.equal((await runIn(world, "status")).code, code);
    assert.equal((await runIn(world, "status", "--watch")).code, code);
  });
}

const BAD: string[][] = [
  ["--interval", "2s"],
  ["--timeout", "-1s"],
  ["--jsn"],
  ["n1"],
];
for (const args of BAD) {
  Deno.test(`status ${args.join(" ")} is a usage error`, async () => {
    const world: World = { statuses: [STATUS] };
    assert.equal((await runIn(world, "status", ...args)).code, 2);
  });
}

Deno.test("status needs a token, and a CA file that is one", async () => {
  const world: World = { statuses: [STATUS], files: { "/ca": "not PEM" } };
  const noToken = await runIn({ ...world, env: {} }, "status");
  assert.equal(noToken.code, 78);
  for (const path of ["/ca", "/none"]) {
    const badCa = await runIn(world, "status", "--tls-ca", path);
    assert.equal(badCa.code, 78);
    assert.match(badCa.err, /"tls-ca"/);
  }
});
