import { Box, Text } from "ink";
import { type Tone, toneProps } from "../look.ts";
import { fitted, oneColumnEach, widthOf } from "../text.ts";

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly tone?: Tone;
}

/** One line of exactly `width` characters that never shrinks nor wraps. */
export function Line({ spans, width }: {
  /** A text alone is plain. */
  readonly spans: string | readonly Span[];
  readonly width: number;
}) {
  const pieces = fitSpans(
    typeof spans === "string" ? [{ text: spans }] : spans,
    width,
  );
  return (
    <Box flexShrink={0} height={1} width={width}>
      <Text>
        {pieces.map(({ text, tone = "plain" }, index) => (
          <Text key={index} {...toneProps(tone)}>{text}</Text>
        ))}
      </Text>
    </Box>
  );
}

/** Spans that fill `width` exactly. */
function fitSpans(spans: readonly Span[], width: number): readonly Span[] {
  const fit: Span[] = [];
  let left = width;
  const total = spans.reduce((sum, { text }) => sum + widthOf(text), 0);
  for (const span of spans) {
    const length = widthOf(span.text);
    const isCut = length > left || (length === left && total > width);
    if (length === 0) continue;
    if (left <= 0) break;
    const narrow = oneColumnEach(span.text);
    // One more than there is room for makes the mark of the cut.
    const text = isCut ? fitted(`${narrow} `, left) : narrow;
    fit.push({ ...span, text });
    left -= widthOf(text);
    if (isCut) break;
  }
  if (left > 0) fit.push({ text: " ".repeat(left) });
  return fit;
}
