import { Box } from "ink";
import { useRef, useState } from "react";
import { useKeys } from "../use_keys.ts";
import { confirmStep, NOTHING_TYPED } from "./confirm_input.ts";
import { Line } from "./line.tsx";

export interface ConfirmBoxProps {
  /** "Type the cluster name to go on, Esc to go back". */
  readonly prompt: string;
  /** What must be typed; never shown here. */
  readonly word: string;
  readonly width: number;
  readonly isActive?: boolean;
  onConfirm(): void;
  onCancel(): void;
}

/** Two lines: what is typed, and that it was wrong. It calls back once. */
export function ConfirmBox(props: ConfirmBoxProps) {
  const { prompt, word, width, isActive = true } = props;
  const [input, setInput] = useState(NOTHING_TYPED);
  // Several keys may come before the next frame.
  const latest = useRef(input);
  const isOver = useRef(false);
  useKeys((press) => {
    if (isOver.current) return;
    const step = confirmStep(latest.current, press, word);
    if (step.kind === "typing") {
      latest.current = step.input;
      setInput(step.input);
      return;
    }
    isOver.current = true;
    if (step.kind === "confirmed") props.onConfirm();
    else props.onCancel();
  }, { isActive });
  const wrong = input.wrong === ""
    ? ""
    : `"${input.wrong}" is not it: nothing was done`;
  return (
    <Box flexDirection="column" flexShrink={0} width={width}>
      <Line
        width={width}
        spans={[
          { text: `${prompt}: ` },
          { text: input.typed, tone: "strong" },
          { text: "_" },
        ]}
      />
      <Line width={width} spans={[{ text: wrong, tone: "bad" }]} />
    </Box>
  );
}
