import { Box, Transform } from "ink";
import { memo } from "react";
import { toned, useLook } from "../look.ts";
import { fitSpans, type TextLine } from "./line.tsx";

export interface DrawnLinesProps {
  readonly lines: readonly TextLine[];
  /** Longer lines are cut. */
  readonly width: number;
}

/**
 * A whole screen as one text: ink has nothing to lay out, which is most of what
 * it does with boxes, and draws nothing when the text is as before.
 */
export function DrawnLines({ lines, width }: DrawnLinesProps) {
  const { isColored } = useLook();
  const text = lines.map((line) =>
    fitSpans(line, width).map(({ text, tone = "plain" }) =>
      isColored ? toned(text, tone) : text
    ).join("")
  ).join("\n");
  return <DrawnText text={text} width={width} height={lines.length} />;
}

const DrawnText = memo(({ text, width, height }: {
  readonly text: string;
  readonly width: number;
  readonly height: number;
}) => {
  const lines = text.split("\n");
  // Ink measures blanks alone: the width of other characters it finds slowly.
  const blank = Array.from({ length: height }, () => " ").join("\n");
  return (
    <Box flexShrink={0} width={width} height={height}>
      <Transform
        transform={(_, row) => lines[row] ?? ""}
        accessibilityLabel={text}
      >
        {blank}
      </Transform>
    </Box>
  );
});
