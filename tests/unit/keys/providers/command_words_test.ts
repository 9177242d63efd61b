import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { commandWords } from "../../../../src/keys/providers/command_words.ts";

const CASES: readonly (readonly [text: string, words: string[] | null])[] = [
  ["pass", ["pass"]],
  ["pass show kek", ["pass", "show", "kek"]],
  ["  pass \t show  ", ["pass", "show"]],
  ["age -d 'my key.age'", ["age", "-d", "my key.age"]],
  ['op read "op://a/b c"', ["op", "read", "op://a/b c"]],
  [String.raw`"a\"b\\c\d"`, [String.raw`a"b\c\d`]],
  [String.raw`'a\b'`, [String.raw`a\b`]],
  [String.raw`a\ b\'c`, ["a b'c"]],
  [`a'b c'"d e"f`, ["ab cd ef"]],
  [`a '' ""`, ["a", "", ""]],
  ["a $HOME ~ * | b > c; d `e` $(f) # g", [
    "a",
    "$HOME",
    "~",
    "*",
    "|",
    "b",
    ">",
    "c;",
    "d",
    "`e`",
    "$(f)",
    "#",
    "g",
  ]],
  ["", null],
  ["   ", null],
  ["''", null],
  ['"" a', null],
  ["'a", null],
  ['a "b', null],
  [String.raw`a "b\"`, null],
  ["a\\", null],
  ["a\nb", null],
  ["a\0b", null],
  ["a\rb", null],
];

for (const [text, words] of CASES) {
  Deno.test(`commandWords() of ${JSON.stringify(text)}`, () => {
    deepEqual(commandWords(text), words);
  });
}

const word = fc.string({ unit: "grapheme", maxLength: 12 })
  .filter((text) => !/[\0\r\n]/.test(text));
const words = fc.tuple(
  word.filter((text) => text !== ""),
  fc.array(word, { maxLength: 5 }),
).map(([first, rest]) => [first, ...rest]);

const QUOTED: readonly ((text: string) => string)[] = [
  (text) => `'${text.replaceAll("'", `'"'"'`)}'`,
  (text) => `"${text.replaceAll(/["\\]/g, (char) => `\\${char}`)}"`,
  (text) => text === "" ? "''" : text.replaceAll(/./gsu, "\\$&"),
];

Deno.test("commandWords() reads every word in every kind of quotes", () => {
  fc.assert(fc.property(words, fc.nat(2), (words, kind) => {
    const text = words.map((word) => QUOTED[kind]!(word)).join(" ");
    deepEqual(commandWords(text), words);
  }));
});

Deno.test("commandWords() never throws, and gives a program or null", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", " ", "'", '"', "\\", "\t") }),
      (text) => {
        const words = commandWords(text);
        equal(words === null || words[0] !== "" && words.length > 0, true);
      },
    ),
    { numRuns: 2_000 },
  );
});
