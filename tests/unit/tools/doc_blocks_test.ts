import { deepEqual, throws } from "node:assert/strict";
import { docBlocks } from "../../e2e/doc_blocks.ts";

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
