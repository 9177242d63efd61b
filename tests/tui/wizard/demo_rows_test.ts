import { equal, match } from "node:assert/strict";
import {
  demoBriefRows,
  demoRows,
  demoStrip,
} from "../../../tui/wizard/demo_rows.ts";
import { demoSeen } from "../../../tui/wizard/demo_seen.ts";
import type { Row } from "../../../tui/wizard/paragraph.ts";
import { TrialDemo } from "./trial_demo.ts";

function textOf(rows: readonly Row[]): string {
  return rows.map((row) => row.map(({ text }) => text).join("")).join("\n");
}

function seenWith(found: readonly string[]) {
  const demo = new TrialDemo();
  demo.found = found;
  return demoSeen(demo)!;
}

Deno.test("demoRows() names the disks and every file with the text", () => {
  equal(
    textOf(demoRows(seenWith(["n1", "n3"]), 60)),
    `FOUND on the disks of n1, n3
canary-7f3a: 12 writes, none failed
n1 in 2 of 12 files: store.sqlite-wal,
   raft/wal/0000000000000002-0000000000000005.seg
n2 not found in 12 files, 1.0 MiB
n3 in 2 of 12 files: store.sqlite-wal,
   raft/wal/0000000000000002-0000000000000005.seg`,
  );
});

Deno.test("demoRows() says at once that the text is nowhere", () => {
  const [verdict] = demoRows(seenWith([]), 60);
  equal(textOf([verdict!]), "NOT FOUND on any disk");
});

Deno.test("demoRows() tells writes that failed, and that nobody looked yet", () => {
  const demo = {
    ...seenWith([]),
    writes: { count: 3, failed: 2 },
    findings: null,
  };
  equal(
    textOf(demoRows(demo, 60)),
    "The first look is under way.\ncanary-7f3a: 3 writes, 2 failed",
  );
});

Deno.test("demoBriefRows() has a row for each member, and why it is so", () => {
  const rows = demoBriefRows(seenWith(["n2"]), { phase: 1, width: 44 });
  match(
    textOf(rows),
    /^FOUND on the disks of n2\n.*\nn1 .*\nn2 in 2 .*\nn3 .*\n\nNew values/,
  );
  for (const [phase, why] of [/Nothing is/, /New val/, /a scrub/].entries()) {
    const rows = demoBriefRows(seenWith(["n2"]), { phase, width: 44 });
    match(textOf(rows), why);
  }
  const over = demoBriefRows(seenWith([]), { phase: 2, width: 80 });
  match(textOf(over), /nothing older is left\.$/);
});

Deno.test("demoStrip() has all on one row", () => {
  const [found, none] = [seenWith(["n1", "n2", "n3"]), seenWith([])];
  equal(
    textOf([demoStrip(found)]),
    " canary-7f3a: FOUND on the disks of n1, n2, n3",
  );
  equal(textOf([demoStrip(none)]), " canary-7f3a: NOT FOUND on any disk");
});
