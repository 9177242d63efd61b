import type { DemoFinding } from "../world.ts";
import { sizeText } from "../../src/base/size.ts";
import { type DemoSeen, foundOn } from "./demo_seen.ts";
import { BLANK, hanging, paragraph, type Row, row } from "./paragraph.ts";

export const DEMO_TITLE = "Disks of the demo";

/** What is found of a known text on the disks of the demo's members. */
export function demoRows(demo: DemoSeen, width: number): readonly Row[] {
  return [
    ...headRows(demo),
    ...(demo.findings ?? []).flatMap((finding) =>
      hanging(headOf(finding), { ...foundText(finding), width })
    ),
  ];
}

/** The same beside other panes: a row for each member, then why it is so. */
export function demoBriefRows(
  demo: DemoSeen,
  { phase, width }: { readonly phase: number; readonly width: number },
): readonly Row[] {
  return [
    ...headRows(demo),
    ...(demo.findings ?? []).map((finding): Row => [
      ...headOf(finding),
      foundText(finding),
    ]),
    BLANK,
    ...paragraph({ text: whyText(demo, phase), tone: "dim", width }),
  ];
}

/** The same on one row. */
export function demoStrip(demo: DemoSeen): Row {
  return [{ text: ` ${demo.canary}: ` }, ...verdict(demo)];
}

function headRows(demo: DemoSeen): readonly Row[] {
  const { canary, writes: { count, failed } } = demo;
  return [
    verdict(demo),
    [
      { text: canary, tone: "strong" },
      { text: `: ${count} writes` },
      failed === 0
        ? { text: ", none failed" }
        : { text: `, ${failed} failed`, tone: "bad" },
    ],
  ];
}

function verdict(demo: DemoSeen): Row {
  const found = foundOn(demo);
  if (found === null) return row("The first look is under way.", "dim");
  return found.length === 0
    ? row("NOT FOUND on any disk", "good")
    : row(`FOUND on the disks of ${found.join(", ")}`, "bad");
}

function headOf({ member }: DemoFinding): Row {
  return row(`${member} `, "strong");
}

function foundText({ files, searched }: DemoFinding) {
  return files.length > 0
    ? {
      text: `in ${files.length} of ${searched.files} files: ` +
        files.join(", "),
      tone: "bad",
    } as const
    : {
      text: `not found in ${searched.files} files, ` +
        sizeText(searched.bytes),
      tone: "good",
    } as const;
}

const WHY = [
  "Nothing is sealed yet.",
  "New values are sealed; older files and the log are not yet.",
  "All that is written is sealed; a scrub clears what is older.",
];
const WHY_NOWHERE = "All that is written is sealed, and nothing older is left.";

function whyText(demo: DemoSeen, phase: number): string {
  const isNowhere = foundOn(demo)?.length === 0;
  return isNowhere ? WHY_NOWHERE : WHY[phase] ?? "";
}
