import assert from "node:assert/strict";
import { RemoteError } from "../../../../src/admin/errors.ts";
import {
  clusterOf,
  DOWN,
  FOLLOWER,
  FRESH,
  LEADER,
  PLAN_HASH,
  planned,
} from "../cluster.ts";
import { type AskedChange, runIn, type World } from "../fake_services.ts";

/** A world that records the changes it is asked for. */
function world(given: Partial<World> = {}) {
  const asked: AskedChange[] = [];
  return {
    asked,
    statuses: [clusterOf(LEADER, FOLLOWER, DOWN)],
    ...given,
    change: (change: AskedChange) => {
      asked.push(change);
      return (given.change ?? planned)(change);
    },
  };
}

Deno.test("member list shows ids, kinds and addresses", async () => {
  const { code, out } = await runIn(
    { statuses: [clusterOf(LEADER, DOWN, FRESH)] },
    ...["member", "list"],
  );
  assert.equal(code, 0);
  assert.equal(
    out,
    `   name  raft id  kind     up   started
*  n1          1  voter    yes  yes
   n3          3  voter    NO   yes
   n4         17  learner  NO   NO

   name  clients        peers          operators
*  n1    10.0.0.1:4512  10.0.0.1:4513  10.0.0.1:4514
   n3    10.0.0.3:4512  10.0.0.3:4513  10.0.0.3:4514
   n4    -              10.0.0.4:4513  -
`,
  );
});

Deno.test("member list --json is one object with the members of status", async () => {
  const { out } = await runIn(world(), "member", "list", "--json");
  const json = JSON.parse(out);
  assert.deepEqual([json.cluster, json.leader], ["prod-eu-1", "n1"]);
  assert.deepEqual(json.members.map((m: { id: string }) => m.id), [
    "1",
    "2",
    "3",
  ]);
});

Deno.test("member add prints the plan and the start, and waits for the vote", async () => {
  const { asked, ...given } = world({
    statuses: [
      clusterOf(LEADER, FRESH),
      clusterOf(LEADER, { ...FRESH, hasStarted: true, up: true }),
      clusterOf(LEADER, {
        ...FRESH,
        hasStarted: true,
        up: true,
        isVoter: true,
      }),
    ],
  });
  const { code, out, err } = await runIn(
    given,
    ...["member", "add", "n4", "--peer", "10.0.0.4:4513"],
    ...["--admin", "10.0.0.1:4514,https://10.0.0.2:4514"],
  );
  assert.equal(code, 0);
  assert.equal(
    out,
    `plan ${PLAN_HASH}
  1. add it
  2. start it, with its other settings: sealkv serve --node n4 --peer-listen 10.0.0.4:4513 --join 10.0.0.1:4514,10.0.0.2:4514
done
n4 is a voter
`,
  );
  assert.equal(
    err,
    "n4: a learner that never started\nn4: a learner, 4210 entries behind\n",
  );
  assert.deepEqual(asked, [{
    kind: "add",
    member: { name: "n4", peerAddress: "10.0.0.4:4513", promote: true },
    options: { dryRun: false, planHash: "" },
  }]);
});

Deno.test("member add ends with 7 when the vote does not come in time", async () => {
  const { code, err } = await runIn(
    world({ statuses: [clusterOf(LEADER, FRESH)], onTimer: () => {} }),
    ...["member", "add", "n4", "--peer", "10.0.0.4:4513", "--wait", "5s"],
  );
  assert.equal(code, 7);
  assert.match(err, /error\[CLI_UNFINISHED\]: .*a learner that never started/);
});

Deno.test("member add ends with 130 when it is stopped", async () => {
  const { code } = await runIn(
    world({
      statuses: [clusterOf(LEADER, FRESH)],
      onWatchEnd: (raise) => raise("SIGINT"),
    }),
    ...["member", "add", "n4", "--peer", "10.0.0.4:4513"],
  );
  assert.equal(code, 130);
});

Deno.test("member add --no-wait returns at once", async () => {
  const { code, out } = await runIn(
    world({ statuses: [clusterOf(LEADER, FRESH)] }),
    ...["member", "add", "n4", "--peer", "h:1", "--no-wait", "--json"],
  );
  assert.equal(code, 0);
  const json = JSON.parse(out);
  assert.equal(json.changed, true);
  assert.equal(json.memberId, "17");
  assert.equal(json.plan.hash, PLAN_HASH);
  assert.match(json.start, /^sealkv serve --node n4 /);
});

const PLAIN: [args: string[], expected: Omit<AskedChange, "options">][] = [
  [["add-learner", "n4", "--peer", "h:1"], {
    kind: "add",
    member: { name: "n4", peerAddress: "h:1", promote: false },
  }],
  [["promote", "n4"], { kind: "promote", member: "n4" }],
  [["transfer-leader", "n2"], { kind: "transfer-leader", member: "n2" }],
  [["transfer-leader"], { kind: "transfer-leader", member: "" }],
];
for (const [args, expected] of PLAIN) {
  Deno.test(`member ${args.join(" ")} carries out a plan that was looked at`, async () => {
    const { asked, ...given } = world();
    const command = ["member", ...args];
    const dry = await runIn(given, ...command, "--dry-run");
    assert.equal(dry.code, 0);
    assert.match(dry.out, /^plan 0123456789abcdef\n/);
    assert.match(
      dry.out,
      /nothing was changed; to do this: --plan 0123456789abcdef\n$/,
    );
    const done = await runIn(given, ...command, "--plan", PLAN_HASH);
    assert.match(done.out, /\ndone\n$/);
    assert.deepEqual(asked, [
      { ...expected, options: { dryRun: true, planHash: "" } },
      { ...expected, options: { dryRun: false, planHash: PLAN_HASH } },
    ]);
  });
}

Deno.test("a change that is so already says so", async () => {
  const change = (asked: AskedChange) => ({
    ...planned(asked),
    changed: false,
  });
  const { code, out } = await runIn(
    world({ change }),
    "member",
    "promote",
    "n2",
  );
  assert.equal(code, 0);
  assert.match(out, /nothing to do: it is so already\n$/);
});

Deno.test("member remove checks, then removes", async () => {
  const { asked, ...given } = world();
  const { code, out } = await runIn(
    given,
    ...["member", "remove", "n3", "--confirm", "prod-eu-1"],
    "--accept-quorum-loss",
  );
  assert.deepEqual([code, out], [
    0,
    `plan ${PLAN_HASH}\n  1. remove it\ndone\n`,
  ]);
  const accept = ["quorum-loss"];
  assert.deepEqual(asked.map(({ options }) => options), [
    { dryRun: true, planHash: "", accept },
    { confirm: "prod-eu-1", accept, planHash: "" },
  ]);
});

Deno.test("member remove of the leader hands over first, and says so", async () => {
  const { asked, ...given } = world();
  const args = ["member", "remove", "n1"];
  const dry = await runIn(given, ...args, "--dry-run");
  assert.match(
    dry.out,
    /1\. hand the leadership of n1 .*\n {2}2\. remove it\n/,
  );
  assert.deepEqual(asked.splice(0).length, 1);
  const confirm = ["--confirm", "prod-eu-1", "--plan", PLAN_HASH];
  const done = await runIn(given, ...args, ...confirm);
  assert.equal(done.code, 0);
  assert.deepEqual(
    asked.map(({ kind, member, options }) => [kind, member, options.planHash]),
    [
      ["remove", "n1", PLAN_HASH],
      ["transfer-leader", "", undefined],
      ["remove", "n1", ""],
    ],
  );
});

for (const confirm of [[], ["--confirm", "prod"]]) {
  Deno.test(`member remove ${confirm.join(" ")} changes nothing without the name`, async () => {
    const { asked, ...given } = world();
    const { code, err } = await runIn(
      given,
      "member",
      "remove",
      "n1",
      ...confirm,
    );
    assert.equal(code, 4);
    assert.match(err, /^error\[CLI_UNCONFIRMED\]/);
    assert.match(err, /--confirm prod-eu-1/);
    assert.deepEqual(asked.filter(({ options }) => !options.dryRun), []);
  });
}

const TYPED: [input: string, code: number][] = [
  ["prod-eu-1\n", 0],
  ["  prod-eu-1 \r\n", 0],
  ["prod-eu\n", 4],
  ["", 4],
];
for (const [input, code] of TYPED) {
  Deno.test(`member remove asks a terminal, ${JSON.stringify(input)} ends with ${code}`, async () => {
    const { asked, ...given } = world({ isInteractive: true, input });
    const outcome = await runIn(given, "member", "remove", "n3");
    assert.equal(outcome.code, code, outcome.err);
    assert.match(outcome.err, /^ {2}remove it\nThis cannot be undone\. Type/);
    assert.equal(asked.length, code === 0 ? 2 : 1);
  });
}

const REFUSALS: [code: RemoteError["code"], exit: number][] = [
  ["NODE_QUORUM_AT_RISK", 3],
  ["NODE_MEMBER_UNKNOWN", 3],
  ["NODE_CONFIRMATION_WRONG", 4],
  ["NODE_PLAN_STALE", 6],
  ["NODE_TRANSFER_FAILED", 8],
  ["ADMIN_NO_LEADER", 5],
  ["ADMIN_OUTCOME_UNKNOWN", 5],
];
for (const [code, exit] of REFUSALS) {
  Deno.test(`a change refused with ${code} ends with ${exit}`, async () => {
    const change = () => {
      throw new RemoteError(code, "what", "how");
    };
    const outcome = await runIn(world({ change }), "member", "transfer-leader");
    assert.equal(outcome.code, exit);
    assert.equal(outcome.err, `error[${code}]: what\nremedy: how\n`);
  });
}

const BAD: string[] = [
  "list n1",
  "list --jsn",
  "list --timeout soon",
  "add",
  "add n4",
  "add N4 --peer h:1",
  "add n4 --peer h",
  "add n4 --peer h:1 --wait soon",
  "add n4 --peer h:1 --plan 12",
  "add-learner n4",
  "add-learner n4 --peer h:0",
  "add-learner n4 --peer h:1 --wait 1s",
  "promote",
  "promote N4",
  "promote n4 n5",
  "remove",
  "remove ..",
  "remove n3 --accept-all",
  "transfer-leader N4",
  "transfer-leader n1 n2",
  "transfer-leader --plan 0123456789ABCDEF",
  "rebuild n3",
  "rebuild --data-dir /d",
  "rebuild n3 --data-dir /d --peer h",
  "rebuild n3 --data-dir /d --plan x",
  "lst",
  "",
];
for (const args of BAD) {
  Deno.test(`member ${args} is a usage error`, async () => {
    const { asked, ...given } = world();
    const words = args.split(" ").filter((word) => word !== "");
    const { code, err } = await runIn(given, "member", ...words);
    assert.equal(code, 2, err);
    assert.deepEqual(asked, []);
  });
}
