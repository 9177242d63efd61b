import { equal } from "node:assert/strict";
import type { AcceptableRisk } from "../../../src/admin/client.ts";
import type { StepCommand } from "../../../src/rollout/command.ts";
import { commandLine } from "../../../src/rollout/command_text.ts";

const ALL: readonly AcceptableRisk[] = [
  "quorum-loss",
  "short-dwell",
  "unrewritten",
];

const CASES: [StepCommand, accept: readonly AcceptableRisk[], string][] = [
  [
    { kind: "enable-storage-envelope" },
    ALL,
    "enable-storage-envelope --confirm 'prod eu'",
  ],
  [
    { kind: "seal-cleartext" },
    ALL,
    "seal-cleartext --confirm 'prod eu' --accept-short-dwell",
  ],
  [
    { kind: "enable-raft-envelope" },
    ALL,
    "enable-raft-envelope --confirm 'prod eu' --accept-short-dwell --accept-unrewritten",
  ],
  [
    { kind: "retire-dek", keyId: 7, purpose: "raft" },
    [],
    "retire-dek --key-id 7 --confirm 'prod eu'",
  ],
  [
    { kind: "start-rewrite", bytesPerSecond: 0, isFollowed: true },
    ALL,
    "rewrite --follow",
  ],
  [
    { kind: "resume-rewrite", bytesPerSecond: 0, isFollowed: false },
    [],
    "rewrite --resume --rate 0",
  ],
  [{ kind: "scrub" }, ALL, "scrub"],
];

for (const [command, accept, expected] of CASES) {
  Deno.test(`commandLine() writes ${expected}`, () => {
    const line = commandLine(command, { confirm: "prod eu", accept });
    equal(line, `sealkv encryption ${expected}`);
  });
}
