import assert from "node:assert/strict";
import { eventRows } from "../../../tui/dashboard/event_rows.ts";
import { NO_HISTORY, withLook } from "../../../tui/dashboard/history.ts";
import { keyRows } from "../../../tui/dashboard/key_rows.ts";
import { memberRows } from "../../../tui/dashboard/member_rows.ts";
import { latestEncryption } from "../../../tui/dashboard/seen.ts";
import {
  encryptionOf,
  eventOf,
  keyOf,
  memberOf,
  NOW_MS,
  seenOf,
  silentEncryption,
  silentVitals,
  STATUS,
  statusOf,
  vitalsAt,
} from "./seen_cluster.ts";

Deno.test("memberRows() says all states in words", () => {
  const look = (second: number) => [vitalsAt("n1", second)];
  const history = [look(1), look(2)].reduce(withLook, NO_HISTORY);
  const status = statusOf(
    memberOf("n1"),
    memberOf("n2", { role: "leader" }),
    memberOf("n3", { up: false, ready: false, lag: 4_210n }),
    memberOf("n4", { isVoter: false, role: "learner", ready: false }),
  );
  const rows = memberRows(seenOf({ status, history }));
  const texts = rows.map((row) => [
    row.name,
    row.role,
    row.up,
    row.ready,
    row.lag,
    row.requests,
    row.p99,
    row.isWell,
  ]);
  assert.deepEqual(texts, [
    ["n1", "follower", "yes", "yes", "0", "1,000", "9.8 ms", true],
    ["n2", "leader", "yes", "yes", "0", "-", "-", true],
    ["n3", "follower", "NO", "NO", "4210 !", "-", "-", false],
    ["n4", "learner", "yes", "NO", "0", "-", "-", false],
  ]);
});

Deno.test("memberRows() says when latency is beyond all bounds", () => {
  const latency = [
    { bound: 10, count: 0n },
    { bound: Infinity, count: 5n },
  ];
  const zero = latency.map(({ bound }) => ({ bound, count: 0n }));
  const history = withLook(
    withLook(NO_HISTORY, [vitalsAt("n1", 1, { latency: zero })]),
    [vitalsAt("n1", 2, { latency })],
  );
  assert.equal(memberRows(seenOf({ history }))[0]?.p99, ">10 s");
});

Deno.test("keyRows() are by purpose, the active and newest first", () => {
  const older = keyOf(99, { isActive: false, createdIndex: 20n });
  const known = latestEncryption([encryptionOf("n1")])?.keys ?? [];
  const encryption = [encryptionOf("n1", {}, 900n, [older, ...known])];
  const vitals = [vitalsAt("n1", 1), vitalsAt("n2", 1), silentVitals("n3")];
  const rows = keyRows({ nowMs: NOW_MS, encryption, vitals });
  assert.deepEqual(
    rows.map((
      { id, purpose, state, age, seals, writers },
    ) => [id, purpose, state, age, seals, writers]),
    [
      ["271828182", "storage", "active", "116 min", "6,200", "3"],
      ["3735928559", "storage", "old", "12 d", "0", "3"],
      ["99", "storage", "old", "12 d", "0", "3"],
      ["314159265", "raft", "active", "12 d", "0", "3"],
      ["161803398", "state", "-", "12 d", "-", "3"],
    ],
  );
});

Deno.test("keyRows() tell what nobody says, and all KEKs", () => {
  const keks = ["file:a91f3c55", "aws-kms:77"];
  const encryption = [encryptionOf("n1", {}, 1n, [keyOf(5, { keks })])];
  const [row] = keyRows({ nowMs: NOW_MS, encryption, vitals: [] });
  assert.deepEqual([row?.seals, row?.kek], ["-", "file:a91f3c55 +1"]);
  assert.deepEqual(
    keyRows({ nowMs: NOW_MS, encryption: [], vitals: [] }),
    [],
  );
});

Deno.test("latestEncryption() believes who has applied most", () => {
  const members = [
    silentEncryption("n1"),
    encryptionOf("n2", {}, 5n),
    encryptionOf("n3", {}, 9n),
    encryptionOf("n4", {}, 7n),
  ];
  assert.equal(latestEncryption(members)?.node, "n3");
  assert.equal(latestEncryption([silentEncryption("n1")]), null);
});

Deno.test("eventRows() are the newest first, refusals in capitals", () => {
  const rows = eventRows([
    eventOf(40),
    eventOf(90, { result: "refused", detail: "NODE_X", actor: "" }),
  ], NOW_MS);
  assert.deepEqual(
    rows.map((
      { id, age, result, actor, detail, isWell },
    ) => [id, age, result, actor, detail, isWell]),
    [
      ["90", "4 min", "REFUSED", "nobody named", "NODE_X", false],
      ["40", "4 min", "done", "ana@laptop", "", true],
    ],
  );
  assert.equal(STATUS.members.length, 3);
});
