import { deepEqual, throws } from "node:assert/strict";
import { docBlocks } from "../../e2e/doc_blocks.ts";
import { readTree } from "../../../tools/tidy/read_tree.ts";

/** Commands of pages that are not run as they stand, and what runs them. */
const RUN_ELSEWHERE = [
  // tests/e2e/cluster_tool_test.ts
  "README.md: deno task cluster",
  // On terminals; tests/tui/terminal
  "docs/dashboard.md: sealkv dashboard --admin 10.0.0.1:4514,10.0.0.2:4514,10.0.0.3:4514",
  // An address of the reader's; tests/e2e/cluster_tls_test.ts
  "docs/operate.md: sealkv serve --listen 10.0.0.5:4512 --tls-cert cert.pem --tls-key key.pem",
  // Ports of 127.0.0.1 as they are; what it says is in compile.sh, too.
  "docs/permissions.md: deno run --allow-read=. --allow-write=data --allow-env \\",
  // On terminals; tests/tui/terminal
  "docs/wizard.md: sealkv rollout --admin 10.0.0.1:4514,10.0.0.2:4514,10.0.0.3:4514",
];

Deno.test("docBlocks() reads shell fences in order and leaves others", () => {
  const page = "# A\n\n```sh\na\nb\n```\n\n```text\nno\n```\n" +
    "```sh background\nc\n```\n```sh tests\nd\n```\n" +
    "```sh stopped\ne\n```\n";
  deepEqual(docBlocks(page), [
    { kind: "command", script: "a\nb\n", line: 3 },
    { kind: "background", script: "c\n", line: 11 },
    { kind: "tests", script: "d\n", line: 14 },
    { kind: "stopped", script: "e\n", line: 17 },
  ]);
});

Deno.test("docBlocks() refuses a shell fence that nobody would run", () => {
  throws(() => docBlocks("```bash\nrm\n```\n"), TypeError);
  throws(() => docBlocks("```sh sometimes\nrm\n```\n"), TypeError);
});

Deno.test("every command of a page is run, but a few", () => {
  const found = [...readTree().files]
    .filter(([path]) => /^(?:docs\/[^/]*|README)\.md$/.test(path))
    .flatMap(([path, text]) =>
      [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)]
        .filter(([, info = ""]) => !info.startsWith("sh"))
        .flatMap((
          [, , block = ""],
        ) => [...block.matchAll(/^ *(?:sealkv|deno|npx|curl) .*$/gm)])
        .map(([line]) => `${path}: ${line.trim()}`)
    );
  deepEqual(found, RUN_ELSEWHERE);
});
