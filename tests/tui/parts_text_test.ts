import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { barText } from "../../tui/parts/bar_text.ts";
import { type Column, fitColumns } from "../../tui/parts/columns.ts";
import { sparkline } from "../../tui/parts/sparkline.ts";
import { windowOf } from "../../tui/parts/window.ts";

const BAR = { label: "Rewrite", note: "", width: 40, isUnicode: false };

Deno.test("a bar says how much is done, and never more", () => {
  const bars: readonly (readonly [number | null, string])[] = [
    [0, "Rewrite [........................]   0 %"],
    [0.58, "Rewrite [#############...........]  58 %"],
    [0.999, "Rewrite [#######################.]  99 %"],
    [1, "Rewrite [########################] 100 %"],
    [1.5, "Rewrite [########################] 100 %"],
    [null, "Rewrite [........................]   ? %"],
  ];
  for (const [ratio, text] of bars) equal(barText({ ...BAR, ratio }), text);
});

Deno.test("a bar gives way to its label and note", () => {
  const bar = { ...BAR, ratio: 0.5, note: "4.1 M of 7.0 M", width: 42 };
  equal(barText(bar), "Rewrite [#####.....]  50 %  4.1 M of 7.0 M");
  equal(barText({ ...bar, isUnicode: true }).slice(8, 20), "[█████░░░░░]");
});

Deno.test("a bar is as wide as asked for, whatever it shows", () => {
  const width = fc.integer({ min: 20, max: 120 });
  fc.assert(fc.property(fc.double(), width, (ratio, width) => {
    equal(barText({ ...BAR, ratio, width }).length, width);
  }));
});

Deno.test("a sparkline has the newest at its right", () => {
  const line = (values: readonly (number | null)[], width: number) =>
    sparkline(values, { width, isUnicode: false });
  equal(line([0, 1, 50, 100], 6), "  _.+@");
  equal(line([9, 0, 7], 2), "_@");
  equal(line([1, null, 1], 3), "@ @");
  equal(line([], 3), "   ");
  equal(line([1, 2], 0), "");
  equal(sparkline([1, 2], { width: 2, isUnicode: true, max: 8 }), "▂▃");
});

Deno.test("columns that have no room go, the least important first", () => {
  const column = (title: string, priority: number): Column<string> => ({
    title,
    priority,
    cell: (row) => row,
  });
  const columns = [
    column("node", 0),
    column("role", 1),
    column("version", 3),
    column("lag", 2),
  ];
  const titles = (width: number) =>
    fitColumns(columns, { rows: ["follower"], width })
      .map(({ title, width }) => `${title}:${width}`);
  deepEqual(titles(38), ["node:8", "role:8", "version:8", "lag:8"]);
  deepEqual(titles(37), ["node:8", "role:8", "lag:8"]);
  deepEqual(titles(20), ["node:8", "role:8"]);
  deepEqual(titles(5), ["node:8"]);
});

Deno.test("a column of texts may be narrower than they are", () => {
  const [column] = fitColumns([
    { title: "why", priority: 0, widthMax: 6, cell: (row: string) => row },
  ], { rows: ["too long a reason"], width: 40 });
  equal(column?.width, 6);
});

Deno.test("the rows shown hold the one that is chosen", () => {
  deepEqual(windowOf({ count: 3, height: 5, at: 2 }), { from: 0, until: 3 });
  deepEqual(windowOf({ count: 9, height: 3, at: 0 }), { from: 0, until: 3 });
  deepEqual(windowOf({ count: 9, height: 3, at: 8 }), { from: 6, until: 9 });
  const nat = fc.nat(50);
  fc.assert(fc.property(nat, fc.nat(20), nat, (count, height, at) => {
    const { from, until } = windowOf({ count, height, at });
    ok(0 <= from && from <= until && until <= count);
    ok(until - from === Math.min(count, height));
    if (height > 0 && at < count) ok(from <= at && at < until);
  }));
});
