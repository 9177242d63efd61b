import { Text } from "ink";
import { type Size, SIZE_MIN } from "../size.ts";

/** All that is drawn when nothing else fits. */
export function TooSmall({ columns, rows }: Size) {
  const { columns: least, rows: leastRows } = SIZE_MIN;
  const text = `Terminal too small: need ${least}x${leastRows}, ` +
    `have ${columns}x${rows}. Make it larger, or leave by Ctrl-C.`;
  return <Text>{text}</Text>;
}
