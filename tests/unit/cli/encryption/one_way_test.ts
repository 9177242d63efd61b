/*
 * Goal: a one-way step is carried out only under the cluster's name, is what
 * was looked at, and says what cannot be undone.
 * Method: the commands against a scripted cluster.
 */
import assert from "node:assert/strict";
import {
  AdminOutcomeUnknownError,
  RemoteError,
} from "../../../../src/admin/errors.ts";
import { clusterOf, LEADER, PLAN_HASH } from "../cluster.ts";
import {
  type AskedEncryptionChange,
  runIn,
  type World,
} from "../fake_services.ts";
import {
  answerOf,
  encryptionChanged,
  RAFT_KEY,
  STATE_KEY,
  STORAGE_KEY,
  taskOf,
} from "./values.ts";

const KEY = ["--key-id", "305419896"];

function world(given: Partial<World> = {}) {
  const asked: AskedEncryptionChange[] = [];
  return {
    asked,
    statuses: [clusterOf(LEADER)],
    ...given,
    changeEncryption: (change: AskedEncryptionChange) => {
      const { signal: _, ...options } = change.options;
      asked.push({ ...change, options });
      return (given.changeEncryption ?? encryptionChanged)(change);
    },
  };
}

const STEPS: [
  args: string[],
  asked: Omit<AskedEncryptionChange, "options">,
  undone: RegExp,
  risks: string[],
][] = [
  [
    ["enable-storage-envelope"],
    { kind: "enable-storage-envelope" },
    /back to cleartext only by a dump[^]*a lost KEK is lost data/,
    [],
  ],
  [
    ["enable-raft-envelope"],
    { kind: "enable-raft-envelope" },
    /no log entry is written in cleartext any more/,
    ["short-dwell", "unrewritten"],
  ],
  [
    ["seal-cleartext"],
    { kind: "seal-cleartext" },
    /a record in cleartext is damage from then on/,
    ["short-dwell"],
  ],
  [
    ["retire-dek", ...KEY],
    { kind: "retire-dek", of: 305_419_896 },
    /nothing opens what key 305419896 sealed/,
    ["short-dwell"],
  ],
];
for (const [args, expected, undone, risks] of STEPS) {
  const name = args[0] ?? "";
  const command = ["encryption", ...args];

  Deno.test(`${name} --dry-run shows the plan and what cannot be undone`, async () => {
    const { asked, ...given } = world();
    const { code, out, err } = await runIn(given, ...command, "--dry-run");
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.startsWith(`plan ${PLAN_HASH}\n  1. ${expected.kind} it\n`));
    const how = `--plan ${PLAN_HASH} --confirm prod-eu-1`;
    assert.ok(out.endsWith(`\nnothing was changed; to do this: ${how}\n`), out);
    assert.match(out, undone);
    for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
    assert.deepEqual(asked, [
      { ...expected, options: { dryRun: true, planHash: "" } },
    ]);
  });

  Deno.test(`${name} --confirm carries it out`, async () => {
    const { asked, ...given } = world();
    const { code, out, err } = await runIn(
      given,
      ...command,
      ...["--confirm", "prod-eu-1", "--plan", PLAN_HASH],
    );
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.includes("\ndone\nindex 184273\n"), out);
    const planHash = PLAN_HASH;
    assert.deepEqual(asked, [
      { ...expected, options: { dryRun: true, planHash } },
      {
        ...expected,
        options: { dryRun: false, planHash, confirm: "prod-eu-1" },
      },
    ]);
  });

  Deno.test(`${name} without the cluster's name changes nothing`, async () => {
    for (const confirm of [[], ["--confirm", "prod"]]) {
      const { asked, ...given } = world();
      const { code, out, err } = await runIn(given, ...command, ...confirm);
      assert.deepEqual([code, out], [4, ""]);
      assert.match(err, /^error\[CLI_UNCONFIRMED\].*\n.*--confirm prod-eu-1/);
      assert.deepEqual(asked.map(({ options }) => options.dryRun), [true]);
    }
  });

  Deno.test(`${name} asks at a terminal and does what was read there`, async () => {
    const { asked, ...given } = world({
      isInteractive: true,
      input: "prod-eu-1\n",
    });
    const { code, err } = await runIn(given, ...command);
    assert.equal(code, 0);
    assert.match(err, undone);
    assert.match(err, /This cannot be undone\. Type the cluster's name/);
    for (const line of err.split("\n")) assert.ok(line.length <= 80, line);
    assert.equal(asked[1]?.options.planHash, PLAN_HASH);
  });

  Deno.test(`${name} that is done already asks for no name`, async () => {
    const { asked, ...given } = world({
      changeEncryption: () => ({
        plan: { hash: PLAN_HASH, steps: ["it is on since entry 12"] },
        ...{ changed: false, index: 12n, unreachable: [] },
      }),
    });
    const { code, out } = await runIn(given, ...command);
    assert.equal(code, 0);
    assert.match(out, /\nnothing to do: it is so already\nindex 12\n/);
    assert.equal(asked.length, 1);
  });

  Deno.test(`${name} takes ${risks.join(" and ") || "no risk"}`, async () => {
    const flags = risks.map((risk) => `--accept-${risk}`);
    const { asked, ...given } = world();
    await runIn(given, ...command, ...flags, "--confirm", "prod-eu-1");
    const accept = risks.length === 0 ? undefined : risks;
    assert.deepEqual(asked.map(({ options }) => options.accept), [
      accept,
      accept,
    ]);
    for (const flag of ["--accept-unrewritten", "--accept-short-dwell"]) {
      if (flags.includes(flag)) continue;
      assert.equal((await runIn(given, ...command, flag)).code, 2, flag);
    }
  });

  Deno.test(`${name} --json is one object and never asks`, async () => {
    const given = world({ isInteractive: true, input: "prod-eu-1\n" });
    const silent = await runIn(given, ...command, "--json");
    assert.equal(silent.code, 4);
    assert.equal(JSON.parse(silent.err).error.code, "CLI_UNCONFIRMED");
    const { out } = await runIn(
      given,
      ...command,
      ...["--json", "--confirm", "prod-eu-1"],
    );
    const { change, changed, dryRun, index } = JSON.parse(out);
    assert.deepEqual([change, changed, dryRun, index], [
      expected.kind,
      true,
      false,
      "184273",
    ]);
  });
}

const REFUSALS: [
  code: ConstructorParameters<typeof RemoteError>[0],
  exit: number,
][] = [
  ["NODE_CAPABILITY_UNPROVEN", 3],
  ["NODE_PHASE_TOO_LOW", 3],
  ["NODE_CLEARTEXT_REMAINS", 3],
  ["NODE_CLEARTEXT_UNLOCKED", 3],
  ["NODE_DWELL_NOT_OVER", 3],
  ["NODE_KEY_IN_USE", 3],
  ["NODE_KEY_NOT_RETIRABLE", 3],
  ["NODE_MEMBER_SILENT", 3],
  ["NODE_REWRITE_NOT_STARTED", 3],
  ["NODE_CONFIRMATION_WRONG", 4],
  ["NODE_OUTCOME_UNKNOWN", 5],
  ["NODE_PLAN_STALE", 6],
  ["NODE_CUTOVER_ABORTED", 8],
  ["NODE_MEMBER_TASK_FAILED", 8],
];
for (const [code, exit] of REFUSALS) {
  Deno.test(`a one-way step refused with ${code} ends with ${exit}`, async () => {
    const given = world({
      changeEncryption: (change) => {
        if (change.options.dryRun) return encryptionChanged(change);
        throw new RemoteError(code, "Cannot do it", "Do this first");
      },
    });
    const { code: ended, err } = await runIn(
      given,
      ...["encryption", "enable-raft-envelope", "--confirm", "prod-eu-1"],
    );
    assert.equal(ended, exit);
    assert.equal(err, `error[${code}]: Cannot do it\nremedy: Do this first\n`);
  });
}

Deno.test("a refused plan is asked for in earnest when the name is given", async () => {
  const asked: boolean[] = [];
  const given = () =>
    world({
      changeEncryption: ({ options }) => {
        asked.push(options.dryRun === true);
        const code = "NODE_CLEARTEXT_UNLOCKED";
        throw new RemoteError(code, "Cannot do it", "Do this first");
      },
    });
  const args = ["encryption", "enable-raft-envelope"];
  const named = await runIn(given(), ...args, "--confirm", "prod-eu-1");
  assert.deepEqual([named.code, asked.splice(0)], [3, [true, false]]);
  const dry = await runIn(
    given(),
    ...args,
    "--confirm",
    "prod-eu-1",
    "--dry-run",
  );
  assert.deepEqual([dry.code, asked.splice(0)], [3, [true]]);
  const unnamed = await runIn(given(), ...args);
  assert.deepEqual([unnamed.code, asked], [3, [true]]);
});

/** Answers when its caller gives up, as a leader that takes its time. */
function slow({ options, ...rest }: AskedEncryptionChange) {
  if (options.dryRun) return encryptionChanged({ options, ...rest });
  return new Promise<never>((_, reject) => {
    options.signal?.addEventListener("abort", () => {
      reject(new AdminOutcomeUnknownError("http://h:1"));
    });
  });
}

const LONG: string[][] = [
  ["seal-cleartext", "--confirm", "prod-eu-1"],
  ["retire-dek", ...KEY, "--confirm", "prod-eu-1"],
  ["scrub"],
];
for (const args of LONG) {
  Deno.test(`${args[0]} --wait ends with 7 and says that it goes on`, async () => {
    const { code, err } = await runIn(
      world({ changeEncryption: slow, onTimer: () => {} }),
      ...["encryption", ...args, "--wait", "3s"],
    );
    assert.equal(code, 7);
    assert.match(err, /^error\[CLI_UNFINISHED\].*no answer .* after 3 s\n/);
    assert.match(err, /remedy: The cluster goes on .*encryption history/);
  });

  Deno.test(`${args[0]} ends with 130 on Ctrl-C and says that it goes on`, async () => {
    const { code, err } = await runIn(
      world({
        changeEncryption: slow,
        onTimer: (_, signal) => signal("SIGINT"),
      }),
      ...["encryption", ...args, "--wait", "1h"],
    );
    assert.equal(code, 130);
    assert.match(err, /^no longer waiting\. The cluster goes on with it: /);
  });

  Deno.test(`${args[0]} shows a terminal that it waits`, async () => {
    const { err } = await runIn(
      world({
        changeEncryption: slow,
        isTerminal: true,
        onTimer: (count, signal) => {
          if (count === 4) signal("SIGINT");
        },
      }),
      ...["encryption", ...args],
    );
    assert.ok(err.includes("waiting for the members, 2 s\x1b[K\n"), err);
  });

  Deno.test(`${args[0]} shows how each member gets on`, async () => {
    const given = {
      changeEncryption: slow,
      changeUnderWay: () => ({
        action: args[0] ?? "",
        members: [taskOf("n1"), taskOf("n2", { state: "waiting" })],
      }),
      onTimer: (count: number, signal: (s: "SIGINT") => void) => {
        if (count === 4) signal("SIGINT");
      },
    };
    const lines = await runIn(world(given), "encryption", ...args);
    assert.match(
      lines.err,
      /^n1: 2 s left, 50\/100 records, .*; n2: waiting\n/,
    );
    const bars = await runIn(
      world({ ...given, isTerminal: true }),
      ...["encryption", ...args],
    );
    assert.match(bars.err, /n1 \[#{10}-{10}\] +50% 2 s left/);
    const json = await runIn(
      world(given),
      ...["encryption", ...args, "--json", "--wait", "1h"],
    );
    assert.doesNotMatch(json.err, /n1/);
  });
}

Deno.test("a change of somebody else is not shown as this one", async () => {
  const { err } = await runIn(
    world({
      changeEncryption: slow,
      changeUnderWay: () => ({ action: "scrub", members: [taskOf("n1")] }),
      onTimer: (count, signal) => {
        if (count === 4) signal("SIGINT");
      },
    }),
    ...["encryption", "seal-cleartext", "--confirm", "prod-eu-1"],
  );
  assert.match(err, /^no longer waiting/);
});

Deno.test("who cannot tell how members get on does not end the wait", async () => {
  const { code, err } = await runIn(
    world({
      changeEncryption: slow,
      changeUnderWay: () => {
        throw new AdminOutcomeUnknownError("http://h:1");
      },
      onTimer: (count, signal) => {
        if (count === 4) signal("SIGINT");
      },
    }),
    ...["encryption", "scrub"],
  );
  assert.deepEqual([code, err.split("\n").length], [130, 2]);
});

Deno.test("scrub asks for the members that are named", async () => {
  const { asked, ...given } = world();
  const { code, out } = await runIn(
    given,
    ...["encryption", "scrub", "--node", "n2", "--node", "n3"],
  );
  assert.equal(code, 0);
  assert.match(out, /what the file system or the disk itself keeps/);
  assert.deepEqual(asked, [{
    ...{ kind: "scrub", of: ["n2", "n3"] },
    options: { dryRun: false, planHash: "" },
  }]);
});

const USAGE: [args: string[], said: RegExp][] = [
  [["retire-dek"], /none of --key-id and --replaced is given/],
  [["retire-dek", "--replaced"], /argument missing/],
  [["retire-dek", "--replaced", "state"], /Allowed choices are storage, raft/],
  [["retire-dek", ...KEY, "--replaced", "raft"], /cannot be used with/],
  [["retire-dek", "--key-id", "0"], /Write the id of a key/],
  [["retire-dek", "--key-id", "4294967296"], /Write the id of a key/],
  [["scrub", "--node", "N_2"], /1 to 63 of a-z/],
  [["seal-cleartext", "--wait", "soon"], /Write 500ms/],
];
for (const [args, said] of USAGE) {
  Deno.test(`encryption ${args.join(" ")} is a usage error`, async () => {
    const { code, out, err } = await runIn(world(), "encryption", ...args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, said);
  });
}

Deno.test("encryption retire-dek --replaced retires what others have replaced", async () => {
  const keys = [
    STORAGE_KEY,
    { ...STORAGE_KEY, id: 41, isActive: false },
    { ...STORAGE_KEY, id: 42, isActive: false },
    { ...RAFT_KEY, id: 43, isActive: false },
    STATE_KEY,
  ];
  const given = world({ encryption: [answerOf("n1", { keys })] });
  const words = ["retire-dek", "--replaced", "storage"];
  const name = ["--confirm", "prod-eu-1"];
  const { code } = await runIn(given, "encryption", ...words, ...name);
  assert.equal(code, 0);
  const carriedOut = given.asked.filter(({ options }) => !options.dryRun);
  assert.deepEqual(carriedOut.map(({ of }) => of), [41, 42]);
});

Deno.test("encryption retire-dek --replaced has nothing to do without such a key", async () => {
  const keys = [STORAGE_KEY, RAFT_KEY, STATE_KEY];
  const given = world({ encryption: [answerOf("n1", { keys })] });
  const words = ["encryption", "retire-dek", "--replaced", "raft"];
  const text = await runIn(given, ...words);
  assert.deepEqual([text.code, given.asked], [0, []]);
  assert.match(text.out, /^nothing to do: no raft key/);
  const json = await runIn(given, ...words, "--json");
  assert.deepEqual(JSON.parse(json.out), {
    ...{ change: "retire-dek", changed: false },
  });
});
