import { deepEqual, equal } from "node:assert/strict";
import {
  complaintsOf,
  findingLines,
  isEverywhere,
  isNowhere,
  writerLine,
} from "../../../../src/cli/demo/evidence.ts";

const searched = { files: 11, bytes: 2_048 };
const NOWHERE = { member: "n1", files: [], searched };
const FOUND = { ...NOWHERE, member: "n2", files: ["store.sqlite"] };
const GOOD = { count: 9, failed: 0, readBack: 8, wrong: 0 };

Deno.test("what was found is a line for each member", () => {
  const files = ["a", "bb", "ccc", "dddd", "eeeee"];
  deepEqual(findingLines([NOWHERE, FOUND, { ...FOUND, files }]), [
    "  n1  not found in any of 11 files (2.0 KiB searched)",
    "  n2  FOUND in 1 file of 11: store.sqlite",
    "  n2  FOUND in 5 files of 11: a, bb, ccc and 2 more",
  ]);
});

Deno.test("everywhere and nowhere are not all there is", () => {
  const cases = [
    [[FOUND, FOUND], true, false],
    [[FOUND, NOWHERE], false, false],
    [[NOWHERE, NOWHERE], false, true],
  ] as const;
  for (const [findings, everywhere, nowhere] of cases) {
    equal(isEverywhere(findings), everywhere);
    equal(isNowhere(findings), nowhere);
  }
});

Deno.test("the end is good only when nothing is wrong with it", () => {
  const cases = [
    [[NOWHERE], GOOD, []],
    [[NOWHERE, FOUND], GOOD, ["the text is on the disks of n2"]],
    [[NOWHERE], { ...GOOD, count: 0 }, ["nothing was written"]],
    [[NOWHERE], { ...GOOD, failed: 2 }, ["2 requests failed"]],
    [[NOWHERE], { ...GOOD, wrong: 1 }, ["1 value came back wrong"]],
  ] as const;
  for (const [findings, counts, complaints] of cases) {
    deepEqual(complaintsOf(findings, counts), complaints);
  }
});

Deno.test("how the writer fared is one line", () => {
  equal(
    writerLine({ count: 1, failed: 2, readBack: 3, wrong: 4 }),
    "The writer: 1 write, 2 failed; 3 values read back, 4 wrong.",
  );
});
