import type { Span, TextLine } from "../parts/line.tsx";
import { widthOf, wrapped } from "../text.ts";
import type { Issue } from "./issues.ts";

const MARK = "[!] ";
const WARNING_MARK = "[w] ";
const FIX = "fix: ";

/** What is wrong, and below it what to do. */
export function issueLines(
  issues: readonly Issue[],
  width: number,
): readonly TextLine[] {
  if (issues.length === 0) return ["All is well: nothing to look at."];
  const subjects = issues.map(({ member }) => member || "cluster");
  const indent = MARK.length + Math.max(...subjects.map(widthOf)) + 2;
  return issues.flatMap(({ text, remedy, isWarning }, position) => {
    const mark = isWarning ? WARNING_MARK : MARK;
    const head = `${mark}${subjects[position] ?? ""}`.padEnd(indent);
    const tone = isWarning ? "warn" : "bad";
    return [
      ...wrapped(text, width - indent).map((line, row): readonly Span[] => [
        { text: row === 0 ? head : " ".repeat(indent), tone },
        { text: line },
      ]),
      ...wrapped(remedy, width - indent - FIX.length).map((line, row) =>
        `${" ".repeat(indent)}${
          row === 0 ? FIX : " ".repeat(FIX.length)
        }${line}`
      ),
    ];
  });
}
