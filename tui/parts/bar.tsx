import { useLook } from "../look.ts";
import { barText } from "./bar_text.ts";
import { Line } from "./line.tsx";

export interface BarProps {
  /** 0 to 1; `null` when it is not known. */
  readonly ratio: number | null;
  /** Before the bar; pad it to align bars below each other. */
  readonly label: string;
  /** After the bar; cut when there is no room. */
  readonly note?: string;
  readonly width: number;
}

/** `label [####....]  42 %  note` on one line. */
export function Bar({ ratio, label, note = "", width }: BarProps) {
  const { isUnicode } = useLook();
  return (
    <Line
      width={width}
      spans={barText({ ratio, label, note, width, isUnicode })}
    />
  );
}
