import { deepEqual, equal } from "node:assert/strict";
import { functionsOf } from "../../../tools/tidy/functions.ts";
import {
  lineAt,
  maskCode,
  resolveImport,
  sourceOf,
} from "../../../tools/tidy/source.ts";

const MASKED: readonly [text: string, code: string][] = [
  ["a // b", "a     "],
  ["a /* b\nc */ d", "a     \n     d"],
  ['a("b\\"c")', 'a("    ")'],
  ["a('b')", "a(' ')"],
  ["`a${b}c`", "` ${b} `"],
  ["`a${`b${c}`}d`; e", "` ${` ${c}`} `; e"],
  ['a = /b[/]"/g;', "a = /     /g;"],
  ["a / b / c", "a / b / c"],
  ["return /x/;", "return / /;"],
  ["{ a: { b } } // c", "{ a: { b } }     "],
];

for (const [text, code] of MASKED) {
  Deno.test(`maskCode() blanks ${JSON.stringify(text)}`, () => {
    equal(maskCode(text), code);
  });
}

Deno.test("sourceOf() reads imports and the names they take", () => {
  const { imports } = sourceOf(
    "src/a/b.ts",
    'import { c, type D as E } from "./c.ts";\nimport * as f from "./f.ts";\nexport { g } from "./g.ts";\nimport("./h.ts");\nnew URL("./w.ts", import.meta.url);\nnew URL("/x", base);\n',
  );
  deepEqual(imports, [
    { specifier: "./c.ts", line: 1, kind: "static", names: ["c", "D"] },
    { specifier: "./f.ts", line: 2, kind: "static", names: null },
    { specifier: "./g.ts", line: 3, kind: "static", names: ["g"] },
    { specifier: "./h.ts", line: 4, kind: "lazy", names: null },
    { specifier: "./w.ts", line: 5, kind: "url", names: null },
  ]);
});

Deno.test("resolveImport() walks from the importing file", () => {
  equal(resolveImport("src/a/b.ts", "../c/d.ts"), "src/c/d.ts");
  equal(resolveImport("main.ts", "./src/a.ts"), "src/a.ts");
  equal(resolveImport("main.ts", "fast-check"), null);
});

Deno.test("lineAt() counts from one", () => {
  equal(lineAt("a\nb\nc", 0), 1);
  equal(lineAt("a\nb\nc", 2), 2);
  equal(lineAt("a\nb\nc", 4), 3);
});

const FUNCTIONS: readonly [code: string, names: string[]][] = [
  ["function f() {}", ["f"]],
  ["async function* f<T extends A>(a: T): B<T> {}", ["f"]],
  ["function f(): { a: b } {}", ["f"]],
  ["function f(a: string): asserts a is { b: c } {}", ["f"]],
  ["function f(a: b): void;\nconst a = { b };", []],
  ["class A { #b(): void {} static c() {} }", ["#b", "c"]],
  ["if (a) {} for (;;) {} while (b) {} switch (c) {}", []],
  ["const f = () => {};", ["arrow function"]],
  ["const a = b ? f(c) : { d };", []],
  ["call(a, { b: c });", []],
  ["constructor(readonly a: string) {}", ["constructor"]],
];

for (const [code, names] of FUNCTIONS) {
  Deno.test(`functionsOf() finds [${names}] in ${code}`, () => {
    deepEqual(functionsOf(code).map(({ name }) => name), names);
  });
}
