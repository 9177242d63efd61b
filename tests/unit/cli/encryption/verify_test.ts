import assert from "node:assert/strict";
import type { ClusterScan } from "../../../../src/admin/client.ts";
import { RemoteError } from "../../../../src/admin/errors.ts";
import { runIn, type World } from "../fake_services.ts";
import { answerOf, STORAGE_KEY, taskOf } from "./values.ts";

const VERIFY = ["encryption", "status", "--verify"];
const OLD_KEY = { ...STORAGE_KEY, id: 9, isActive: false, writers: [] };

function scanOf(
  member: string,
  cleartext: bigint,
  sealed: readonly [keyId: number, records: bigint][] = [],
): ClusterScan {
  const counts = {
    cleartext,
    sealed: sealed.map(([keyId, records]) => ({ keyId, records })),
  };
  return { ...taskOf(member, { state: "done", done: 100n }), counts };
}

function world(
  scans: readonly ClusterScan[],
  given: Partial<World> = {},
): World & { readonly asked: (readonly string[])[] } {
  const asked: (readonly string[])[] = [];
  const shown = {
    phase: 1,
    storageCutoverIndex: 184_201n,
    keys: [OLD_KEY, STORAGE_KEY],
  };
  return {
    asked,
    encryption: [answerOf("n1", shown), answerOf("n2", shown)],
    scans: (members) => {
      asked.push(members);
      const running = scans.map(({ member }) => (
        { ...taskOf(member), counts: null }
      ));
      return [running, scans];
    },
    ...given,
  };
}

const ACTIVE: [number, bigint] = [STORAGE_KEY.id, 96n];

Deno.test("status --verify shows how each member keeps its records", async () => {
  const given = world([
    scanOf("n1", 3n, [[9, 1n], ACTIVE]),
    scanOf("n2", 0n, [[7, 4n]]),
  ]);
  const { code, out, err } = await runIn(given, ...VERIFY);
  assert.equal(code, 0);
  assert.match(err, /^n1: 2 s left, 50\/100 records, 1.0 MiB\/s; n2: .*\n$/);
  assert.ok(
    out.includes(`
member  records  kept as
n1            3  cleartext
              1  sealed under 9 (older)
             96  sealed under 305419896 (active)
n2            0  cleartext
              4  sealed under 7 (UNKNOWN KEY)
CLEARTEXT IS LEFT on n1: 3 records; \`sealkv encryption rewrite\` seals them anew
`),
    out,
  );
  for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
  assert.deepEqual(given.asked, [[]]);
});

const VERDICTS: [scans: ClusterScan[], verdict: string][] = [
  [
    [scanOf("n1", 0n, [ACTIVE]), scanOf("n2", 0n, [ACTIVE])],
    "no cleartext on 2 members; every record is under the active key",
  ],
  [[scanOf("n1", 0n)], "no cleartext on n1; every record is under the active"],
  [[scanOf("n1", 0n, [[9, 5n]])], "no cleartext on n1; 5 records under older"],
];
for (const [scans, verdict] of VERDICTS) {
  Deno.test(`status --verify says "${verdict}"`, async () => {
    const { code, out } = await runIn(world(scans), ...VERIFY);
    assert.equal(code, 0);
    assert.ok(out.includes(`\n${verdict}`), out);
  });
}

Deno.test("status --verify of phase 0 calls no cleartext a fault", async () => {
  const encryption = [answerOf("n1")];
  const given = world([scanOf("n1", 7n)], { encryption });
  const { out } = await runIn(given, ...VERIFY);
  assert.match(out, /\nphase 0: nothing is sealed yet\n/);
});

Deno.test("status --verify --node counts that member alone", async () => {
  const given = world([scanOf("n2", 0n)]);
  await runIn(given, ...VERIFY, "--node", "n2");
  assert.deepEqual(given.asked, [["n2"]]);
});

Deno.test("status --verify --json has the counts, u64 as strings", async () => {
  const given = world([scanOf("n1", 2n ** 60n, [ACTIVE])]);
  const { out, err } = await runIn(given, ...VERIFY, "--json");
  assert.equal(err, "");
  const { records, phase } = JSON.parse(out);
  assert.equal(phase, 1);
  assert.deepEqual(records, [{
    member: "n1",
    state: "done",
    done: "100",
    total: "100",
    bytes: "2097152",
    elapsedMs: "2000",
    remainingMs: null,
    failure: "",
    cleartext: String(2n ** 60n),
    sealed: [{ keyId: 305_419_896, records: "96" }],
  }]);
});

Deno.test("status --verify ends with 7 when a member did not count", async () => {
  const silent = { ...taskOf("n2", { state: "silent" }), counts: null };
  const failed = {
    ...taskOf("n3", { state: "failed", failure: "bad disk" }),
    counts: null,
  };
  const given = world([scanOf("n1", 0n), silent, failed]);
  const { code, out, err } = await runIn(given, ...VERIFY);
  assert.equal(code, 7);
  assert.match(out, /\nn2 +- +NO ANSWER\nn3 +- +FAILED: bad disk\n/);
  assert.match(out, /\nno cleartext on n1; /);
  assert.match(err, /error\[CLI_UNFINISHED\].*n2: NO ANSWER; n3: FAILED/);
});

Deno.test("status --verify ends with 7 when nobody has counted anything", async () => {
  const { code, err } = await runIn(world([], { scans: () => [] }), ...VERIFY);
  assert.equal(code, 7);
  assert.match(err, /no word of any member/);
});

Deno.test("status --verify fails as the count does", async () => {
  const refusal = new RemoteError("NODE_MEMBER_UNKNOWN", "Cannot", "Do");
  const given = world([], { scans: () => [refusal] });
  const { code, out } = await runIn(given, ...VERIFY);
  assert.deepEqual([code, out], [3, ""]);
});

Deno.test("status --verify --wait and Ctrl-C end it", async () => {
  const scans = () => [[{ ...taskOf("n1"), counts: null }]];
  for (const isStopped of [false, true]) {
    const given = world([], {
      scans,
      isWatchEndless: true,
      onTimer: (_, signal) => {
        if (isStopped) signal("SIGINT");
      },
    });
    const { code, out, err } = await runIn(given, ...VERIFY, "--wait", "3s");
    assert.deepEqual([code, out], [isStopped ? 130 : 7, ""]);
    if (!isStopped) assert.match(err, /longer --wait/);
  }
});
