import assert from "node:assert/strict";
import {
  eventFacts,
  keyFacts,
  memberFacts,
} from "../../../tui/dashboard/details.ts";
import { eventRows } from "../../../tui/dashboard/event_rows.ts";
import { type Fact, factLines } from "../../../tui/dashboard/facts.ts";
import { NO_HISTORY, withLook } from "../../../tui/dashboard/history.ts";
import { issueLines } from "../../../tui/dashboard/issue_lines.ts";
import { keyRows } from "../../../tui/dashboard/key_rows.ts";
import type { TextLine } from "../../../tui/parts/line.tsx";
import {
  encryptionOf,
  eventOf,
  keyOf,
  memberOf,
  NOW_MS,
  seenOf,
  statusOf,
  vitalsAt,
} from "./seen_cluster.ts";

const HISTORY = [1, 2].map((second) => [vitalsAt("n1", second)])
  .reduce(withLook, NO_HISTORY);

function texts(facts: readonly Fact[]): readonly string[] {
  return facts.map(({ label, value }) => `${label}|${value}`);
}

function plain(lines: readonly TextLine[]): readonly string[] {
  return lines.map((line) =>
    typeof line === "string" ? line : line.map(({ text }) => text).join("")
  );
}

Deno.test("memberFacts() tells all of a member", () => {
  const encryption = [encryptionOf("n1", { epochs: [{ keyId: 7, epoch: 3 }] })];
  const seen = seenOf({ history: HISTORY, encryption });
  assert.deepEqual(texts(memberFacts(seen, "n1")), [
    "role|follower, up yes, ready yes",
    "applied|812344, 0 behind, phase 1, fed by replicate",
    "clients|10.0.0.1:4512",
    "peers|10.0.0.1:4513",
    "operators|10.0.0.1:4514",
    "raft id|1",
    "encryption|on",
    "KEKs|file:a91f3c55",
    "sidecar|as of entry 900",
    "epochs|3 of key 7",
    "runs for|2 s",
    "memory|145 MiB",
    "disk free|70.0 GiB of 100 GiB, 70 %",
    "requests|2,000 since then, 1,000/s now, p99 9.8 ms",
    "log|200 syncs, 512 KiB written, 256 KiB/s now",
    "elections|1",
    "sealed|3,100 under key 271828182",
  ]);
});

Deno.test("memberFacts() begins with what is wrong", () => {
  const down = { up: false, ready: false, clientAddress: "" };
  const status = statusOf(memberOf("n3", down));
  const facts = texts(memberFacts(seenOf({ status }), "n3"));
  assert.deepEqual(facts.slice(0, 5), [
    "issue|it is down",
    "fix|start it, and see its log if it ends again",
    "role|follower, up NO, ready NO",
    "applied|812344, 0 behind, phase 1, fed by replicate",
    "clients|-",
  ]);
  assert.deepEqual(memberFacts(seenOf(), "n9"), []);
});

Deno.test("memberFacts() knows a disk that nobody tells of", () => {
  const more = { diskFreeBytes: 0n, diskTotalBytes: 0n };
  const history = withLook(NO_HISTORY, [vitalsAt("n1", 1, more)]);
  const facts = texts(memberFacts(seenOf({ history }), "n1"));
  assert.ok(facts.includes("disk free|not told"));
});

Deno.test("keyFacts() tells who sealed with a key, and who may have", () => {
  const writers = [
    { member: "n1", fullNodeId: 7n, firstEpoch: 1, lastEpoch: 4 },
    { member: "", fullNodeId: 255n, firstEpoch: 2, lastEpoch: 2 },
  ];
  const keks = ["file:a91f3c55", "aws-kms:77"];
  const more = { isActive: false, deactivatedIndex: 90n, writers, keks };
  const encryption = [encryptionOf("n1", {}, 1n, [keyOf(271_828_182, more)])];
  const seen = seenOf({ history: HISTORY, encryption });
  const [row] = keyRows({
    nowMs: NOW_MS,
    encryption,
    vitals: HISTORY.last,
  });
  assert.ok(row);
  assert.deepEqual(texts(keyFacts(row, seen)), [
    "purpose|storage",
    "state|old: it only opens",
    "created|2026-11-11T12:00:00Z, 12 d ago, by entry 40",
    "replaced|by entry 90",
    "wrapped under|file:a91f3c55",
    "|aws-kms:77",
    "sealed|n1  3,100 since it runs",
    "writers|n1  epochs 1 to 4",
    "|node 00000000000000ff  epochs 2 to 2",
  ]);
});

Deno.test("eventFacts() tell what became of it", () => {
  const more = { result: "refused", entry: 0n, detail: "NODE_X" } as const;
  const [row] = eventRows([eventOf(90, more)], NOW_MS);
  assert.ok(row);
  assert.deepEqual(texts(eventFacts(row)), [
    "asked for|enable-storage-envelope",
    "result|REFUSED",
    "detail|NODE_X",
    "by|ana@laptop",
    "at|2026-11-23T11:56:00Z, 4 min ago",
    "plan|5c1e90aa",
    "entry|none",
  ]);
});

Deno.test("factLines() go on beside their label", () => {
  const lines = plain(factLines([
    { label: "fix", value: "start it, and see its log" },
    { label: "", value: "x" },
  ], 30));
  assert.deepEqual(lines, [
    "fix           start it, and",
    "              see its log",
    "              x",
  ]);
});

Deno.test("issueLines() say what to do below what is wrong", () => {
  const down = { text: "it is down", remedy: "start it again, now" };
  const lines = plain(issueLines([
    { member: "n3", ...down, isWarning: false },
    { member: "", text: "nobody leads", remedy: "wait", isWarning: true },
  ], 30));
  assert.deepEqual(lines, [
    "[!] n3       it is down",
    "             fix: start it",
    "                  again, now",
    "[w] cluster  nobody leads",
    "             fix: wait",
  ]);
  assert.match(plain(issueLines([], 30))[0] ?? "", /All is well/);
});
