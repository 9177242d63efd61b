import { Box, Text } from "ink";
import type { ReactNode } from "react";
import { toneProps, useLook } from "../look.ts";
import { fitted, widthOf } from "../text.ts";
import { fitSpans, type TextLine } from "./line.tsx";

export interface PaneProps {
  /** In the upper border; cut when it is too long. */
  readonly title: string;
  /** At the right end of the upper border, when there is room. */
  readonly note?: string;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
  /** It takes the keys; its title begins with `>`. */
  readonly isFocused?: boolean;
  /** Lines of `width - 4`, `height - 2` at most. */
  readonly children?: ReactNode;
}

/** A box with its title in the border. */
export function Pane(
  { title, note = "", width, height, isFocused = false, children }: PaneProps,
) {
  const { isUnicode } = useLook();
  const tone = isFocused ? "strong" : "dim";
  const head = topBorder({
    title: isFocused ? `> ${title}` : title,
    note,
    width,
    marks: isUnicode ? ["┌", "─", "┐"] : ["+", "-", "+"],
  });
  return (
    <Box flexDirection="column" flexShrink={0} width={width} height={height}>
      <Box flexShrink={0} height={1}>
        <Text {...toneProps(isFocused ? "strong" : "plain")}>{head}</Text>
      </Box>
      <Box
        flexDirection="column"
        flexShrink={0}
        width={width}
        height={height - 1}
        paddingX={1}
        overflow="hidden"
        borderStyle={isUnicode ? "single" : "classic"}
        borderTop={false}
        borderDimColor={tone === "dim"}
      >
        {children}
      </Box>
    </Box>
  );
}

/** A pane as lines, for what is not drawn by ink's boxes. */
export function paneLines(
  { title, note = "", width, height, isFocused = false, isUnicode, lines }:
    & Omit<PaneProps, "children">
    & { readonly isUnicode: boolean; readonly lines: readonly TextLine[] },
): readonly TextLine[] {
  const [corner, line, end, side, low, lowEnd] = isUnicode
    ? ["┌", "─", "┐", "│", "└", "┘"] as const
    : ["+", "-", "+", "|", "+", "+"] as const;
  const head = topBorder({
    title: isFocused ? `> ${title}` : title,
    note,
    width,
    marks: [corner, line, end],
  });
  const tone = isFocused ? "plain" : "dim";
  const bottom = `${low}${line.repeat(width - 2)}${lowEnd}`;
  const inner = Array.from({ length: height - 2 }, (_, row): TextLine => [
    { text: side, tone },
    { text: " " },
    ...fitSpans(lines[row] ?? "", width - 4),
    { text: " " },
    { text: side, tone },
  ]);
  return [
    [{ text: head, tone: isFocused ? "strong" : "plain" }],
    ...inner,
    [{ text: bottom, tone }],
  ];
}

/** The upper border: corner, title, line, note, corner. */
function topBorder({ title, note, width, marks: [left, line, right] }: {
  readonly title: string;
  readonly note: string;
  readonly width: number;
  readonly marks: readonly [string, string, string];
}): string {
  const room = width - 2;
  const ends = note === "" ? line : ` ${note} ${line}`;
  const isNoted = widthOf(title) + widthOf(ends) + 4 <= room;
  const end = isNoted ? ends : line;
  const name = fitted(title, Math.min(widthOf(title), room - 4));
  const start = title === "" ? line : `${line} ${name} `;
  const fill = room - widthOf(start) - widthOf(end);
  return `${left}${start}${line.repeat(Math.max(0, fill))}${end}${right}`;
}
