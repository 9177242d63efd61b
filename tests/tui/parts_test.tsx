import { deepEqual, equal, ok } from "node:assert/strict";
import { Box } from "ink";
import { isNarrow, isTooSmall, type Size, useSize } from "../../tui/size.ts";
import { Bar } from "../../tui/parts/bar.tsx";
import type { Column } from "../../tui/parts/columns.ts";
import { helpLines } from "../../tui/parts/help_lines.ts";
import { KeyLine } from "../../tui/parts/key_line.tsx";
import { Line } from "../../tui/parts/line.tsx";
import { Pane } from "../../tui/parts/pane.tsx";
import { Table } from "../../tui/parts/table.tsx";
import { renderScreen } from "./render.ts";

const SIZES: readonly Size[] = [
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 120, rows: 34 },
];

const KEYS = [
  { keys: "Tab", brief: "pane", does: "Goes to the next pane." },
  { keys: "Up/Dn", brief: "move", does: "Moves the cursor." },
  { keys: "Enter", brief: "start", does: "Shows the plan of the step." },
  { keys: "Ctrl-Z", brief: "", does: "Stops the screen; `fg` goes on." },
  { keys: "?", brief: "help", does: "Shows this." },
  { keys: "q", brief: "leave", does: "Leaves; what runs goes on." },
];

interface Member {
  readonly name: string;
  readonly lag: number;
}

const MEMBERS = Array.from({ length: 9 }, (_, index): Member => {
  return { name: `n${index + 1}`, lag: index * 1_000 };
});

const COLUMNS: readonly Column<Member>[] = [
  { title: "node", priority: 0, cell: ({ name }) => name },
  { title: "role", priority: 1, cell: () => "follower" },
  {
    title: "lag",
    priority: 0,
    align: "right",
    cell: ({ lag }) => ({ text: String(lag), tone: lag > 0 ? "bad" : "good" }),
  },
];

/** All parts on a screen of its own size. */
function Everything() {
  const { columns, rows } = useSize();
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Pane title="Nodes" note="0.3 s old" width={columns} height={7} isFocused>
        <Table
          columns={COLUMNS}
          rows={MEMBERS}
          width={columns - 4}
          height={5}
          chosen={8}
        />
      </Pane>
      <Bar label="Rewrite" ratio={0.58} note="1,980/s" width={columns} />
      <KeyLine bindings={KEYS} width={columns} />
    </Box>
  );
}

for (const isUnicode of [false, true]) {
  Deno.test(`a screen fits, ${isUnicode ? "Unicode" : "ASCII"}`, async () => {
    await using screen = await renderScreen(<Everything />, { isUnicode });
    for (const size of SIZES) {
      await screen.resize(size);
      const lines = screen.frame().split("\n");
      ok(lines.length <= size.rows, `${lines.length} rows`);
      ok(lines.every((line) => [...line].length <= size.columns));
      // deno-lint-ignore no-control-regex
      equal(/^[\x00-\x7f]*$/.test(screen.frame()), !isUnicode);
    }
  });
}

Deno.test("a screen of parts looks like this", async () => {
  await using screen = await renderScreen(<Everything />, SIZES[0]);
  equal(screen.frame(), FRAME);
});

const FRAME = `\
+- > Nodes ------------------------------------ 0.3 s old -+
|   node  role       lag                                   |
|   n6    follower  5000                                   |
|   n7    follower  6000                                   |
|   n8    follower  7000                                   |
| > n9    follower  8000                                   |
+----------------------------------------------------------+
Rewrite [####################...............]  58 %  1,980/s
 Tab pane   Up/Dn move   Enter start   ? help   q leave`;

Deno.test("the footer drops keys before it drops help and leave", async () => {
  const line = (width: number) => <KeyLine bindings={KEYS} width={width} />;
  await using screen = await renderScreen(line(41));
  equal(screen.frame(), " Tab pane   Up/Dn move   ? help   q leave");
  await screen.rerender(line(40));
  equal(screen.frame(), " Tab pane   ? help   q leave");
});

Deno.test("a line is cut where that can be seen", async () => {
  const spans = [{ text: "one ", tone: "good" as const }, { text: "two" }];
  await using screen = await renderScreen(<Line spans={spans} width={7} />);
  equal(screen.frame(), "one two");
  await screen.rerender(<Line spans={spans} width={6} />);
  equal(screen.frame(), "one t~");
  await screen.rerender(<Line spans={spans} width={4} />);
  equal(screen.frame(), "one~");
});

Deno.test("the help has every key, and notes after them", () => {
  const lines = helpLines(KEYS, ["1W = one way."], 40);
  for (const { keys, does } of KEYS) {
    ok(lines.includes(`${keys.padEnd(8)}${does}`), keys);
  }
  deepEqual(lines.slice(-2), ["", "1W = one way."]);
  deepEqual(helpLines(KEYS.slice(0, 1), [], 15), [
    "Tab  Goes to",
    "     the next",
    "     pane.",
  ]);
});

Deno.test("there is a least size, and one for panes beside each other", () => {
  ok(isTooSmall({ columns: 59, rows: 18 }));
  ok(isTooSmall({ columns: 60, rows: 17 }));
  ok(!isTooSmall({ columns: 60, rows: 18 }));
  ok(isNarrow({ columns: 69, rows: 22 }));
  ok(isNarrow({ columns: 70, rows: 21 }));
  ok(!isNarrow({ columns: 70, rows: 22 }));
});
