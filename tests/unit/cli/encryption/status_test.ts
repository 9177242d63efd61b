import assert from "node:assert/strict";
import {
  agreementLine,
  agreementOf,
} from "../../../../src/cli/encryption/agreement.ts";
import { AdminNoLeaderError } from "../../../../src/admin/errors.ts";
import { runIn } from "../fake_services.ts";
import {
  answerOf,
  KEK,
  plainAnswerOf,
  RAFT_KEY,
  silenceOf,
  STATE_KEY,
  STORAGE_KEY,
} from "./values.ts";

const STATUS = ["encryption", "status"];

Deno.test("encryption status shows keys, writers and members on one screen", async () => {
  const encryption = [answerOf("n1"), answerOf("n2"), answerOf("n3")];
  const { code, out, err } = await runIn({ encryption }, ...STATUS);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(
    out,
    `phase 0 (capable)   state index 184201   cleartext allowed   seen by n1

       key  purpose  active  created               wrapped under
        77  state    -       2025-04-29T10:00:00Z  file:3f2a91d0c4b7e865
 305419896  storage  yes     2025-04-29T10:00:00Z  file:3f2a91d0c4b7e865
4294967295  raft     yes     2025-04-29T10:00:00Z  file:3f2a91d0c4b7e865
                                                   aws-kms:arn:aw…3:key/1234abcd
writers of 305419896, by epoch: n1 1-7, node 08b37b07b558d4c1 0-0

member  encryption  applied  sidecar  gaps  KEKs
n1      on           184300   184201  none  file:3f2a91d0c4b7e865
n2      on           184300   184201  none  file:3f2a91d0c4b7e865
n3      on           184300   184201  none  file:3f2a91d0c4b7e865

all 3 members agree
`,
  );
  for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
});

Deno.test("encryption status before bootstrap says what is in the way", async () => {
  const encryption = [plainAnswerOf("n1"), silenceOf("n2")];
  const { code, out } = await runIn({ encryption }, ...STATUS);
  assert.equal(code, 0);
  assert.match(
    out,
    /\nno keys yet: `sealkv encryption bootstrap` draws them\n/,
  );
  assert.match(out, /\nn1 +off +184300 +none +1 +none\n/);
  assert.match(out, /\nn2 +NO ANSWER /);
  assert.match(out, /\nn1: encryption is off on this node: start it with /);
  assert.match(out, /\nn2: Cannot reach .*: Check that a node runs/);
  assert.match(out, /\nn1 answers; no answer from n2\n$/);
});

Deno.test("encryption status --json has names that scripts rely on", async () => {
  const encryption = [answerOf("n1"), silenceOf("n2")];
  const { out } = await runIn({ encryption }, ...STATUS, "--json");
  const { keys, members, ...rest } = JSON.parse(out);
  assert.deepEqual(rest, {
    agree: false,
    silent: ["n2"],
    node: "n1",
    clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    phase: 0,
    stateIndex: "184201",
    storageCutoverIndex: "0",
    raftCutoverIndex: "0",
    cleartextLockIndex: "0",
    retired: [],
    rewrite: null,
    dwellUntil: null,
  });
  assert.deepEqual(keys[1], {
    id: 305_419_896,
    purpose: "storage",
    active: true,
    created: "2025-04-29T10:00:00Z",
    createdIndex: "184201",
    deactivatedIndex: "0",
    keks: [KEK],
    writers: [{
      member: "n1",
      fullNodeId: "08b37b07b558d4c0",
      firstEpoch: 1,
      lastEpoch: 7,
    }, {
      member: "",
      fullNodeId: "08b37b07b558d4c1",
      firstEpoch: 0,
      lastEpoch: 0,
    }],
  });
  assert.deepEqual(members[0], {
    member: "n1",
    applied: "184300",
    phase: 0,
    stateIndex: "184201",
    enabled: true,
    gaps: [],
    kekIds: [KEK],
    sidecarIndex: "184201",
    epochs: [{ keyId: 305_419_896, epoch: 7 }],
  });
  assert.equal(members[1].error.code, "ADMIN_UNREACHABLE");
});

Deno.test("encryption status --node shows what that member says", async () => {
  const encryption = [answerOf("n1"), answerOf("n2", { stateIndex: 9n })];
  const { out } = await runIn(
    { encryption },
    ...[...STATUS, "--node", "n2", "--json"],
  );
  const { node, stateIndex, members, agree } = JSON.parse(out);
  assert.deepEqual([node, stateIndex, agree], ["n2", "9", false]);
  assert.deepEqual(members.map((m: { member: string }) => m.member), ["n2"]);
});

Deno.test("encryption status --node of a silent member fails as it does", async () => {
  const encryption = [answerOf("n1"), silenceOf("n2")];
  const { code, err } = await runIn({ encryption }, ...STATUS, "--node", "n2");
  assert.equal(code, 5);
  assert.match(err, /^error\[ADMIN_UNREACHABLE\]: .*\n.*remedy: /);
});

Deno.test("encryption status --node of nobody guesses", async () => {
  const encryption = [answerOf("n1"), answerOf("berlin")];
  const { code, err } = await runIn(
    { encryption },
    ...[...STATUS, "--node", "berlni"],
  );
  assert.equal(code, 2);
  assert.match(err, /remedy: Give a member's name, as berlin\n$/);
});

Deno.test("encryption status ends with 5 when nobody answers", async () => {
  const { code, err } = await runIn(
    { encryption: new AdminNoLeaderError(10) },
    ...STATUS,
  );
  assert.equal(code, 5);
  assert.match(err, /^error\[ADMIN_NO_LEADER\]/);
});

const SAME = [answerOf("n1"), answerOf("n2", { applied: 1n })];
const AGREEMENTS: [answers: Parameters<typeof agreementOf>[0], line: string][] =
  [
    [SAME, "all 2 members agree"],
    [[answerOf("n1")], "n1 is the only member"],
    [[...SAME, silenceOf("n3")], "n1, n2 agree; no answer from n3"],
    [[answerOf("n1"), silenceOf("n3")], "n1 answers; no answer from n3"],
  ];
for (const [answers, line] of AGREEMENTS) {
  Deno.test(`agreementOf() of ${answers.length} says "${line}"`, () => {
    const agreement = agreementOf(answers);
    assert.equal(agreementLine(agreement), line);
    assert.equal(agreement.isAgreed, agreement.silent.length === 0);
  });
}

const OTHERS: [what: string, given: Parameters<typeof answerOf>[1]][] = [
  ["the state index", { stateIndex: 1n }],
  ["the storage cutover", { storageCutoverIndex: 1n }],
  ["the raft cutover", { raftCutoverIndex: 1n }],
  ["the cleartext lock", { cleartextLockIndex: 1n }],
  ["a retired key", { retired: [7] }],
  ["a key more", { keys: [STATE_KEY, STORAGE_KEY] }],
  ["the active key", {
    keys: [STATE_KEY, { ...STORAGE_KEY, isActive: false }, RAFT_KEY],
  }],
  ["the KEKs of a key", {
    keys: [STATE_KEY, { ...STORAGE_KEY, keks: ["x"] }, RAFT_KEY],
  }],
  ["the index of a key", {
    keys: [STATE_KEY, { ...STORAGE_KEY, createdIndex: 1n }, RAFT_KEY],
  }],
];
for (const [what, given] of OTHERS) {
  Deno.test(`agreementOf() sees members that differ in ${what}`, () => {
    const answers = [answerOf("n1"), answerOf("n2", given), answerOf("n3")];
    const agreement = agreementOf(answers);
    assert.equal(agreement.isAgreed, false);
    assert.match(agreementLine(agreement), /^MEMBERS DIFFER: n1, n3 \| n2 /);
  });
}
