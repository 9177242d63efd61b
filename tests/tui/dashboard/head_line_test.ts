import assert from "node:assert/strict";
import { headSpans } from "../../../tui/dashboard/head_line.ts";
import type { Issue } from "../../../tui/dashboard/issues.ts";
import type { Seen } from "../../../tui/dashboard/seen.ts";
import { NOW_MS, seenOf, STATUS } from "./seen_cluster.ts";

const BAD: Issue = { member: "", text: "", remedy: "", isWarning: false };
const WARNING: Issue = { ...BAD, isWarning: true };

function headText(
  width: number,
  more: Partial<Seen> = {},
  issues: readonly Issue[] = [],
): string {
  const spans = headSpans({ seen: seenOf(more), issues, width });
  const text = spans.map(({ text }) => text).join("");
  assert.equal(text.length, width);
  return text;
}

Deno.test("headSpans() say as much as there is room for", () => {
  assert.equal(
    headText(90),
    " prod-eu-1   leader n2   term 7   phase 1 (storage envelope on)" +
      "                all is well",
  );
  assert.equal(
    headText(60, {}, [BAD]),
    " prod-eu-1   leader n2   term 7   phase 1        1 issue (i)",
  );
});

Deno.test("headSpans() count issues and warnings", () => {
  assert.match(headText(80, {}, [BAD, WARNING, BAD]), /2 issues, 1 warning \(/);
  assert.match(headText(80, {}, [WARNING, WARNING]), / 2 warnings \(i\)$/);
});

Deno.test("headSpans() say since when nobody answers", () => {
  const silence = "n1: it is silent";
  const head = headText(80, { silence, atMs: NOW_MS - 4_200 }, [BAD]);
  assert.match(head, /NO ANSWER for 4 s \(i\)$/);
});

Deno.test("headSpans() cut a long name, and know none", () => {
  const cluster = "a".repeat(63);
  const head = headText(60, { status: { ...STATUS, cluster, leader: "" } });
  assert.match(head, /^ a{23}~ +leader \(none\)/);
  assert.match(
    headText(60, { status: { ...STATUS, cluster: "" } }),
    /^ \(no name yet\)/,
  );
});
