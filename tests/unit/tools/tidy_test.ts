import { deepEqual, equal } from "node:assert/strict";
import { layerViolations } from "../../../tools/layers.ts";
import {
  bannedPatterns,
  brandCasts,
  dead,
  sizes,
} from "../../../tools/tidy/rules_of_code.ts";
import {
  docs,
  errors,
  generated,
  names,
  twins,
} from "../../../tools/tidy/rules_of_files.ts";
import { type Finding, type Tree, treeOf } from "../../../tools/tidy/source.ts";

type Rule = (tree: Tree) => Finding[];

/** Findings of `rule` over `files`, as `path:line: rule`. */
function found(rule: Rule, files: Record<string, string>): string[] {
  return rule(treeOf(new Map(Object.entries(files))))
    .map(({ path, line, rule }) => `${path}:${line}: ${rule}`);
}

const IMPORTS: readonly [path: string, line: string, isAllowed: boolean][] = [
  ["src/raft/a.ts", 'import { b } from "./b.ts";', true],
  ["src/raft/a.ts", 'import { b } from "../base/b.ts";', true],
  ["src/raft/a.ts", 'import { b } from "../io/b.ts";', false],
  ["src/raft/a.ts", 'import type { B } from "../io/b.ts";', false],
  ["src/raft/a.ts", 'export * from "../io/b.ts";', false],
  ["src/raft/a.ts", 'import "../io/b.ts";', false],
  ["src/raft/a.ts", 'const b = await import("../base/b.ts");', false],
  ["src/base/a.ts", 'import { b } from "../raft/b.ts";', false],
  ["src/wal/a.ts", 'import type { B } from "../raft/types.ts";', true],
  ["src/wal/a.ts", 'import type { B } from "../raft/log.ts";', false],
  ["src/kvconnect/a.ts", 'import type { B } from "../node/port.ts";', true],
  ["src/kvconnect/a.ts", 'import type { B } from "../node/b.ts";', false],
  ["src/cli/a.ts", 'import { b } from "../kvconnect/client.ts";', true],
  ["src/cli/a.ts", 'import { b } from "../kvconnect/route.ts";', false],
  ["src/cli/a.ts", 'await import("../../tui/main.tsx");', true],
  ["src/cli/a.ts", 'await import("../app/b.ts");', true],
  ["src/cli/a.ts", 'await import("../raft/b.ts");', false],
  ["src/app/a.ts", 'await import("../../tui/main.tsx");', false],
  ["src/new/a.ts", 'import { b } from "../base/b.ts";', false],
  ["src/fsm/a.ts", 'import { b } from "@bufbuild/protobuf/wire";', true],
  ["src/raft/a.ts", 'import { b } from "@bufbuild/protobuf";', false],
  ["src/admin/a.ts", 'import { b } from "@connectrpc/connect";', true],
  ["src/node/a.ts", 'import { b } from "@connectrpc/connect";', false],
  ["tests/a.ts", 'import { b } from "npm:x@1";', false],
  ["tools/a.ts", 'import { b } from "../src/base/b.ts";', false],
  ["main.ts", 'import { b } from "./src/cli/b.ts";', true],
  ["main.ts", 'import { b } from "./src/app/b.ts";', false],
  ["bench/a.ts", 'import { b } from "../src/wal/b.ts";', true],
  ["tui/a.tsx", 'import { b } from "../src/rollout/b.ts";', true],
  ["tui/a.tsx", 'import { b } from "../src/node/b.ts";', false],
  ["tui/a.tsx", 'import { b } from "react";', true],
  ["tui/a.tsx", 'import { b } from "commander";', false],
  ["src/cli/a.ts", 'import { b } from "ink";', false],
  ["src/raft/a.ts", '// import { b } from "../io/b.ts";', true],
];

for (const [path, line, isAllowed] of IMPORTS) {
  Deno.test(`layerViolations() ${isAllowed ? "allows" : "refuses"} ${line} in ${path}`, () => {
    equal(found(layerViolations, { [path]: line }).length, isAllowed ? 0 : 1);
  });
}

const CODE: readonly [path: string, code: string, count: number][] = [
  ["src/node/a.ts", "Deno.env.get(name);", 1],
  ["src/cli/a.ts", "Deno.exit(1);", 0],
  ["src/io/deno/a.ts", "Deno.exit(Date.now());", 0],
  ["src/node/a.ts", "await fetch(url);", 1],
  ["src/node/a.ts", "await http.fetch(url);", 0],
  ["src/node/a.ts", "class A {\n  fetch(a: B): C {}\n  async fetch() {}\n}", 0],
  ["src/node/a.ts", "interface A {\n  fetch(a: B): C;\n}", 0],
  ["src/node/a.ts", "function f() {\n  fetch(url);\n}", 1],
  ["src/node/a.ts", "new Worker(url);", 1],
  ["src/node/a.ts", "process.exit();", 1],
  ["src/node/a.ts", "const { process } = ports;\nprocess.env(name);", 0],
  ["src/node/a.ts", "const now = Date.now();", 1],
  ["src/node/a.ts", "const now = new Date();", 1],
  ["src/node/a.ts", "const day = new Date(ms);", 0],
  ["src/node/a.ts", "performance.now();", 1],
  ["src/node/a.ts", "setTimeout(task, 1);", 1],
  ["src/node/a.ts", "setInterval(task, 1);", 1],
  ["src/node/a.ts", "Math.random();", 1],
  ["src/node/a.ts", "crypto.getRandomValues(bytes);", 1],
  ["src/node/a.ts", "crypto.subtle.digest(name, bytes);", 1],
  ["src/crypto/a.ts", "crypto.subtle.digest(name, bytes);", 0],
  ["src/node/a.ts", 'import { a } from "node:fs";', 1],
  ["tests/a.ts", 'import { a } from "node:fs";', 0],
  ["src/node/a.ts", "console.log(1);", 1],
  ["src/cli/a.ts", "console.log(1);", 0],
  ["src/node/a.ts", "function f(a: any) {}", 1],
  ["src/node/a.ts", "const a = b as any;", 1],
  ["src/node/a.ts", "const a: Map<string, any> = b;", 1],
  ["src/node/a.ts", "await Promise.any([a]);", 0],
  ["src/node/a.ts", "// any time, or Date.now()", 0],
  ["src/node/a.ts", 'const a = "Date.now()";', 0],
  ["src/node/a.ts", "const a = `x${Date.now()}`;", 1],
  ["src/node/a.ts", "const a = /Deno/;", 0],
  ["src/node/a.ts", "const a = list[0]!;", 1],
  ["src/node/a.ts", "const a = b.c!.d;", 1],
  ["src/node/a.ts", "const a = !b && c !== d && !(e);", 0],
  ["tests/a.ts", "const a = list[0]!;", 0],
  ["tui/a.tsx", "setTimeout(task, Date.now());", 2],
  ["tui/a.tsx", "Deno.exit(1);", 1],
  ["tui/a.tsx", "const a = list[0]!;", 1],
  ["tui/a.tsx", 'import { a } from "node:process";', 1],
  ["tests/a.ts", "Deno.test.only(name, f);", 1],
  ["tests/a.ts", "// FIX" + "ME later", 1],
  ["src/node/gen/a.ts", "const a: any = Date.now();", 0],
];

for (const [path, code, count] of CODE) {
  Deno.test(`bannedPatterns() finds ${count} in ${path}: ${code}`, () => {
    equal(found(bannedPatterns, { [path]: code }).length, count);
  });
}

Deno.test("brandCasts() refuses a cast outside the brand's file", () => {
  const files = {
    "src/raft/types.ts":
      'export type Epoch = Brand<number, "Epoch">;\nexport const e = 1 as Epoch;\n',
    "src/raft/a.ts": "\nconst e = 1 as Epoch;\nconst s = x as string;\n",
  };
  deepEqual(found(brandCasts, files), ["src/raft/a.ts:2: cast to a brand"]);
});

Deno.test("names() refuses drawers and other cases", () => {
  const files = {
    "src/node/good_name.ts": "",
    "src/node/goodName.ts": "",
    "src/node/utils.ts": "",
    "src/node/index.ts": "",
    "src/node/types.d.ts": "",
    "src/helpers/a.ts": "",
    "tests/unit/Bad/a_test.ts": "",
  };
  equal(found(names, files).length, 6);
});

Deno.test("sizes() counts files and functions at their limits", () => {
  const lines = (count: number) => "a();\n".repeat(count);
  const body = (count: number) => `function f() {\n${lines(count - 2)}}\n`;
  deepEqual(found(sizes, { "src/a.ts": lines(400) }), []);
  equal(found(sizes, { "src/a.ts": lines(401) }).length, 1);
  deepEqual(found(sizes, { "tests/a.ts": lines(600) }), []);
  equal(found(sizes, { "tests/a.ts": lines(601) }).length, 1);
  deepEqual(found(sizes, { "src/a.ts": `\n${body(60)}` }), []);
  deepEqual(found(sizes, { "src/a.ts": `\n${body(61)}` }), [
    "src/a.ts:2: f of 61 lines (most 60)",
  ]);
  const dispatch = `function f(): {\n a: b } {\nswitch (a) {\n${
    lines(100)
  }}\n}\n`;
  deepEqual(found(sizes, { "src/a.ts": dispatch }), []);
});

Deno.test("dead() finds files and values that nobody imports", () => {
  const files = {
    "src/node/a.ts":
      "export const used = 1;\nexport const unused = 2;\nexport type Named = 1;\nexport const other: Named = 1;\n",
    "src/node/b.ts": 'import { used, other as x } from "./a.ts";\nexport {};\n',
    "src/node/worker.ts": "",
    "tests/b_test.ts": 'import "../src/node/b.ts";\n',
    "main.ts": 'new URL("./src/node/worker.ts", import.meta.url);\n',
  };
  deepEqual(found(dead, files), [
    "src/node/a.ts:2: export unused that nobody imports",
    "src/node/b.ts:1: a file nobody imports",
  ]);
});

Deno.test("errors() wants one class a code, in its folder", () => {
  const classOf = (name: string, code: string) =>
    `/** It broke. */\nexport class ${name} extends NodeError {\n  override readonly code = "${code}";\n}\n`;
  const list = (codes: string) =>
    `export const ERROR_CODES = [${codes}] as const;`;
  deepEqual(
    found(errors, {
      "src/base/error_code.ts": list('"WAL_A"'),
      "src/wal/errors.ts": classOf("A", "WAL_A"),
    }),
    [],
  );
  deepEqual(
    found(errors, {
      "src/base/error_code.ts": list('"WAL_B", "WAL_A"'),
      "src/wal/errors.ts": classOf("A", "WAL_A") + classOf("C", "WAL_C"),
      "src/raft/errors.ts": classOf("D", "WAL_A"),
    }),
    [
      "src/base/error_code.ts:1: order",
      "src/base/error_code.ts:1: WAL_B has 0 classes",
      "src/base/error_code.ts:1: WAL_A has 2 classes",
      "src/wal/errors.ts:6: WAL_C is not listed",
      "src/raft/errors.ts:2: D of another folder",
    ],
  );
});

Deno.test("twins() wants a test for each file that carries risk", () => {
  const files = {
    "src/raft/log.ts": "",
    "src/raft/quorum.ts": "",
    "src/raft/types.ts": "",
    "src/node/driver.ts": "",
    "tests/unit/raft/quorum_test.ts": "",
  };
  deepEqual(found(twins, files), ["src/raft/log.ts:1: a file without a twin"]);
});

Deno.test("docs() wants one title, few lines and the headings", () => {
  const adr =
    "# A\n## Decision\n## Because\n## Instead of\n## Costs\n## Checked by\n";
  const files = {
    "README.md": "# A\n```sh\n# a comment\n```\n",
    "docs/two.md": "# A\n# B\n",
    "docs/none.md": "## A\n",
    "docs/long.md": `# A\n${"\n".repeat(150)}`,
    "docs/adr/0001_choose_a.md": adr,
    "docs/adr/choose_b.md": adr,
    "docs/adr/0003_choose_c.md": adr.replace("## Costs\n", ""),
    "docs/adr/0004_choose_d.md": adr + "\n".repeat(45),
  };
  equal(found(docs, files).length, 6);
});

Deno.test("generated() wants both pages as the tools write them", () => {
  equal(found(generated, {}).length, 2);
});
