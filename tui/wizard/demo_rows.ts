import type { DemoPane } from "../world.ts";
import { hanging, type Row, row } from "./paragraph.ts";

/** What is found of a known text on the disks of the demo's members. */
export function demoRows(demo: DemoPane, width: number): readonly Row[] {
  const { count, failed } = demo.writes();
  const findings = demo.findings();
  return [
    [
      { text: demo.canary, tone: "strong" },
      { text: `  ${count} writes` },
      failed === 0 ? { text: ", none failed" } : {
        text: `, ${failed} failed`,
        tone: "bad",
      },
    ],
    ...findings === null ? [row("The first look is under way.", "dim")] : [],
    ...(findings ?? []).flatMap(({ member, files }) => {
      const isFound = files.length > 0;
      const text = isFound
        ? `in cleartext in ${files.length} ${
          files.length === 1 ? "file" : "files"
        }: ${files.join(", ")}`
        : "not found in any file";
      return hanging([{ text: `${member} `, tone: "strong" }], {
        text,
        tone: isFound ? "bad" : "good",
        width,
      });
    }),
  ];
}
