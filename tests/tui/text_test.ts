import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { fitted, oneColumnEach, widthOf, wrapped } from "../../tui/text.ts";

Deno.test("a text is made to fit: padded, or cut where it can be seen", () => {
  equal(fitted("n1", 4), "n1  ");
  equal(fitted("n1", 4, "right"), "  n1");
  equal(fitted("n1", 2), "n1");
  equal(fitted("follower", 4), "fol~");
  equal(fitted("n1", 1), "~");
  equal(fitted("n1", 0), "");
  equal(fitted("né", 3), "né ");
});

Deno.test("a character that is not one column wide is shown as one that is", () => {
  equal(oneColumnEach("naïve ~ │█░▁ €"), "naïve ~ │█░▁ €");
  equal(oneColumnEach("漢 한 ｱ Ａ 🙂"), "? ? ｱ ? ?");
  equal(oneColumnEach("e\u0301 \x1b[31m\n\u200b"), "e? ?[31m??");
});

Deno.test("a paragraph is broken at blanks, a long word anywhere", () => {
  deepEqual(wrapped("new values are sealed", 10), [
    "new values",
    "are sealed",
  ]);
  deepEqual(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
  deepEqual(wrapped("one\n\ntwo", 10), ["one", "", "two"]);
  deepEqual(wrapped("", 10), [""]);
});

Deno.test("no line is wider than asked for, and no word is lost", () => {
  const text = fc.string({ unit: "grapheme-ascii", maxLength: 200 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), (text, width) => {
      const lines = wrapped(text, width);
      ok(lines.every((line) => widthOf(line) <= width));
      const bare = (text: string) => text.replaceAll(/[ \n]/g, "");
      equal(bare(lines.join("")), bare(text));
      equal(widthOf(fitted(text, width)), width);
    }),
  );
});
