/*
 * Goal: screens that pages show are those that the program draws.
 * Method: each is compared with the frame that the tests of the terminal
 * compare screens with. UPDATE=1 puts changed lines into the pages.
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  pageFrames,
  partOf,
  withScreen,
  withStored,
} from "../../tui/page_frames.ts";
import { pagesToRead, writePage } from "../../tui/pages.ts";
import { frameOf } from "../../tui/terminal/normalise.ts";

const FRAMES = new URL("../../tui/frames/", import.meta.url).pathname;
const IS_UPDATE = Deno.env.get("UPDATE") === "1";

function storedFrame(name: string): string {
  return Deno.readTextFileSync(`${FRAMES}${name}.txt`);
}

const FRAME = ` top  term T
┌─ Left ───┐┌─ Right ──┐
│ KEY      ││ b        │
└──────────┘└──────────┘
┌─ Below ──────────────┐
│ took AGE             │
└──────────────────────┘
`;
const SEEN = FRAME.replace("term T", "term 3")
  .replace("KEY       ", "1234567890")
  .replace("AGE  ", "1.5 s");
const PAGE = `# A

\`\`\`text frame of/it
${SEEN}\`\`\`

\`\`\`text frame of/it pane Below
${partOf(SEEN, "pane Below")}\`\`\`
`;

Deno.test("screens of pages are frames that were captured", () => {
  const pages = pagesToRead();
  if (IS_UPDATE) {
    for (const page of pages) {
      const names = new Set(pageFrames(page.text).map(({ name }) => name));
      const text = [...names].reduce(
        (text, name) => withStored(text, name, storedFrame(name)),
        page.text,
      );
      writePage(page, text);
    }
    return;
  }
  const shown = pages.flatMap(({ path, text }) =>
    pageFrames(text).map((frame) => ({ path, ...frame }))
  );
  ok(shown.length > 3, `only ${shown.length}: the pattern is stale`);
  for (const { path, name, part, text, line } of shown) {
    equal(
      frameOf(name, text),
      partOf(storedFrame(name), part),
      `${path}:${line} is not the frame "${name}"; give this test UPDATE=1`,
    );
  }
});

Deno.test("pages show no screen that was not captured", () => {
  const drawn = pagesToRead().flatMap(({ path, text }) =>
    [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)]
      .filter(([, , block = ""]) => /^[┌│└]/m.test(block))
      .map(([, info = ""]) => ({ path, info }))
  );
  deepEqual(drawn.filter(({ info }) => !info.startsWith("text frame ")), []);
});

Deno.test("pageFrames() reads names and parts", () => {
  deepEqual(
    pageFrames(PAGE).map(({ name, part, line }) => ({ name, part, line })),
    [
      { name: "of/it", part: "", line: 3 },
      { name: "of/it", part: "pane Below", line: 13 },
    ],
  );
  deepEqual(pageFrames("```text\nframe\n```\n"), []);
});

Deno.test("partOf() takes a pane with those beside it, or what is above", () => {
  equal(partOf(FRAME, "pane Right"), partOf(FRAME, "pane Left"));
  equal(partOf(FRAME, "pane Right").split("\n").length, 4);
  equal(partOf(FRAME, "head"), "top  term T\n");
  equal(partOf(FRAME, ""), FRAME);
  throws(() => partOf(FRAME, "pane Above"), /no pane "Above"/);
});

Deno.test("withScreen() keeps a screen that says the same", () => {
  const later = SEEN.replace("term 3", "term 4");
  equal(withScreen(PAGE, "of/it", later), PAGE);
  equal(withScreen(PAGE, "of/other", later.replace("b", "c")), PAGE);
  const changed = withScreen(PAGE, "of/it", later.replace("b", "c"));
  equal(pageFrames(changed)[0]?.text, later.replace("b", "c"));
  equal(pageFrames(changed)[1]?.text, pageFrames(PAGE)[1]?.text);
});

Deno.test("withScreen() takes what was seen for words in its place", () => {
  const old = withStored(PAGE, "of/it", FRAME.replace("b ", "cc"));
  const later = SEEN.replace("b ", "cc");
  equal(pageFrames(withScreen(old, "of/it", later))[0]?.text, later);
});

Deno.test("withStored() keeps the lines that say the same", () => {
  equal(withStored(PAGE, "of/it", FRAME), PAGE);
  const changed = withStored(PAGE, "of/it", FRAME.replace("b ", "cc"));
  const [, , cells] = (pageFrames(changed)[0]?.text ?? "").split("\n");
  equal(cells, "│ KEY      ││ cc       │");
  ok(changed.includes("top  term 3"), changed);
});
