import assert from "node:assert/strict";
import type { ClusterEvent } from "../../../../src/admin/client.ts";
import { PLAN_HASH } from "../cluster.ts";
import {
  type AskedEncryptionChange,
  runIn,
  type World,
} from "../fake_services.ts";
import { encryptionChanged } from "./values.ts";

const HISTORY = ["encryption", "history"];
const FIRST: ClusterEvent = {
  index: 184_202n,
  atMs: 1_745_920_800_000n,
  actor: "ana@laptop",
  action: "enable-storage-envelope",
  planHash: PLAN_HASH,
  result: "done",
  entry: 184_201n,
  detail: "",
};
const SECOND: ClusterEvent = {
  ...FIRST,
  index: 184_210n,
  actor: "somebody-with-a-long-name@a-host-with-a-long-name.example.org",
  action: "seal-cleartext",
  result: "refused",
  entry: 0n,
  detail: "NODE_CLEARTEXT_REMAINS",
};
const THIRD: ClusterEvent = {
  ...SECOND,
  actor: "",
  planHash: "",
  result: "unknown",
  detail: "",
};
const events = [FIRST, SECOND, THIRD];

Deno.test("encryption history shows who did what and what became of it", async () => {
  const { code, out, err } = await runIn({ events }, ...HISTORY);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(
    out,
    `2025-04-29T10:00:00Z  enable-storage-envelope  done     entry 184201
                      by ana@laptop, plan ${PLAN_HASH}
2025-04-29T10:00:00Z  seal-cleartext           REFUSED
                      by somebody-wi….example.org, plan ${PLAN_HASH},
                        NODE_CLEARTEXT_REMAINS
2025-04-29T10:00:00Z  seal-cleartext           UNKNOWN
                      by nobody named
`,
  );
  for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
});

Deno.test("encryption history --limit shows the newest", async () => {
  const { out } = await runIn({ events }, ...HISTORY, "--limit", "1");
  assert.match(out, /^.*UNKNOWN\n.*\n$/);
});

Deno.test("encryption history --json is one object an event", async () => {
  const { out } = await runIn({ events }, ...HISTORY, "--json");
  const lines = out.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines[0], {
    index: "184202",
    time: "2025-04-29T10:00:00Z",
    actor: "ana@laptop",
    action: "enable-storage-envelope",
    plan: PLAN_HASH,
    result: "done",
    entry: "184201",
    detail: "",
  });
  assert.equal(lines.length, 3);
});

Deno.test("encryption history of a new cluster says that there is none", async () => {
  const { out } = await runIn({}, ...HISTORY);
  assert.equal(out, "nothing was asked for yet\n");
  assert.equal((await runIn({}, ...HISTORY, "--json")).out, "");
});

function world(): World & { readonly asked: AskedEncryptionChange[] } {
  const asked: AskedEncryptionChange[] = [];
  return {
    asked,
    changeEncryption: (change) => {
      asked.push(change);
      return encryptionChanged(change);
    },
  };
}

Deno.test("encryption dwell --for counts from now on, --end ends it", async () => {
  const given = world();
  const held = await runIn(given, "encryption", "dwell", "--for", "24h");
  assert.match(held.out, /\nuntil 1970-01-02T00:00:00Z\n$/);
  const json = await runIn(given, "encryption", "dwell", "--end", "--json");
  assert.equal(JSON.parse(json.out).until, null);
  assert.deepEqual(given.asked.map(({ kind, of }) => [kind, of]), [
    ["update-rollout", 86_400_000],
    ["update-rollout", 0],
  ]);
});

Deno.test("encryption dwell --dry-run names the flags of that very plan", async () => {
  const given = world();
  const dwell = ["encryption", "dwell"];
  const { out } = await runIn(given, ...dwell, "--for", "24h", "--dry-run");
  const flags = `--plan ${PLAN_HASH} --until 1970-01-02T00:00:00Z`;
  assert.ok(out.endsWith(`nothing was changed; to do this: ${flags}\n`), out);
  await runIn(given, ...dwell, ...flags.split(" "));
  assert.deepEqual(given.asked.map(({ of }) => of), [86_400_000, 86_400_000]);
});

const WRONG = [
  [],
  ["--for", "1h", "--end"],
  ["--for", "soon"],
  ["--until", "tomorrow"],
  ["--until", "2026-13-01T08:00:00Z"],
  ["--until", "2026-12-01T08:00:00Z", "--for", "1h"],
];
for (const args of WRONG) {
  Deno.test(`encryption dwell ${args.join(" ")} is a usage error`, async () => {
    const given = world();
    const { code } = await runIn(given, "encryption", "dwell", ...args);
    assert.equal(code, 2);
    assert.deepEqual(given.asked, []);
  });
}
