import assert from "node:assert/strict";
import fc from "fast-check";
import { GivenBackups } from "../../../src/app/given_backups.ts";

const AT_MS = Date.parse("2026-11-26T10:00:00.000Z");

function line(given: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    previous: "0".repeat(64),
    at: new Date(AT_MS).toISOString(),
    call: "sealkv.admin.v1.ClusterAdmin/Backup",
    result: "done",
    index: "812",
    ...given,
  });
}

function told(...lines: readonly string[]) {
  const backups = new GivenBackups();
  for (const one of lines) backups.readLine(one);
  return backups.tell(AT_MS + 60_000);
}

Deno.test("GivenBackups tells whole ones, by age", () => {
  const later = new Date(AT_MS + 59_000).toISOString();
  const ahead = new Date(AT_MS + 3_600_000).toISOString();
  assert.deepEqual(
    told(line(), line({ at: later, index: "900" }), line({ at: ahead })),
    [
      { ageMs: 60_000n, index: 812n },
      { ageMs: 1_000n, index: 900n },
      { ageMs: 0n, index: 812n },
    ],
  );
});

Deno.test("GivenBackups leaves out what is no whole backup", () => {
  const lines = [
    line({ result: "unknown" }),
    line({ result: "refused" }),
    line({ call: "sealkv.admin.v1.ClusterAdmin/AddMember" }),
    line({ actor: "sealkv.admin.v1.ClusterAdmin/Backup", call: "x" }),
    line({ at: "yesterday" }),
    line({ at: 5 }),
    line({ index: "-1" }),
    line({ index: 812 }),
    line().slice(0, -1),
    "null sealkv.admin.v1.ClusterAdmin/Backup",
    JSON.stringify("sealkv.admin.v1.ClusterAdmin/Backup"),
  ];
  for (const one of lines) assert.deepEqual(told(one), [], one);
});

Deno.test("GivenBackups keeps the last sixteen", () => {
  const lines = Array.from({ length: 20 }, (_, i) => line({ index: `${i}` }));
  assert.deepEqual(told(...lines).map(({ index }) => index), [
    ...Array.from({ length: 16 }, (_, i) => BigInt(i + 4)),
  ]);
});

Deno.test("GivenBackups reads any line", () => {
  const part = fc.oneof(fc.json(), fc.string(), fc.constant(line()));
  fc.assert(fc.property(fc.array(part), (parts) => {
    const text = parts.join("");
    const given = told(text, `${text}sealkv.admin.v1.ClusterAdmin/Backup`);
    for (const { ageMs, index } of given) assert.ok(ageMs >= 0n && index >= 0n);
  }));
});
