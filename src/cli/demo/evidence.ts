import { sizeText } from "../../base/size.ts";
import type { MemberFinding } from "./finder.ts";
import type { WriterCounts } from "./writer.ts";

const NAMES_SHOWN = 3;
/** When it all is as it should be at the end. */
export const DEMO_OVER =
  "No disk has the text any more, and the program still reads its values.";

/** True when no file of any member has the text. */
export function isNowhere(findings: readonly MemberFinding[]): boolean {
  return findings.every(({ files }) => files.length === 0);
}

/** True when every member has it in a file. */
export function isEverywhere(findings: readonly MemberFinding[]): boolean {
  return findings.every(({ files }) => files.length > 0);
}

/** What was found, a line for each member. */
export function findingLines(
  findings: readonly MemberFinding[],
): readonly string[] {
  return findings.map(({ member, files, searched }) => {
    if (files.length > 0) {
      return `  ${member}  FOUND in ${counted(files.length, "file")} of ` +
        `${searched.files}: ${namesOf(files)}`;
    }
    return `  ${member}  not found in any of ` +
      `${counted(searched.files, "file")} ` +
      `(${sizeText(searched.bytes)} searched)`;
  });
}

/** How the writer fared, on one line. */
export function writerLine(counts: WriterCounts): string {
  const { count, failed, readBack, wrong } = counts;
  return `The writer: ${counted(count, "write")}, ${failed} failed; ` +
    `${counted(readBack, "value")} read back, ${wrong} wrong.`;
}

/** What is not as it should be at the end; empty when all is. */
export function complaintsOf(
  findings: readonly MemberFinding[],
  { count, failed, wrong }: WriterCounts,
): readonly string[] {
  const hits = findings.filter(({ files }) => files.length > 0)
    .map(({ member }) => member);
  return [
    ...hits.length === 0
      ? []
      : [`the text is on the disks of ${hits.join(", ")}`],
    ...count > 0 ? [] : ["nothing was written"],
    ...failed === 0 ? [] : [`${counted(failed, "request")} failed`],
    ...wrong === 0 ? [] : [`${counted(wrong, "value")} came back wrong`],
  ];
}

function namesOf(files: readonly string[]): string {
  const shown = files.slice(0, NAMES_SHOWN).join(", ");
  const more = files.length - NAMES_SHOWN;
  return more <= 0 ? shown : `${shown} and ${more} more`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
