import type { KeyBinding } from "../key_table.ts";
import { widthOf } from "../text.ts";
import { Line, type Span } from "./line.tsx";

const GAP = "   ";

export interface KeyLineProps {
  /** Those that do something now, the most useful first. */
  readonly bindings: readonly KeyBinding[];
  readonly width: number;
}

/** The footer: as many keys as there is room for, the last two always. */
export function KeyLine(props: KeyLineProps) {
  return <Line width={props.width} spans={keySpans(props)} />;
}

/** The same, for what is not drawn by ink's boxes. */
export function keySpans({ bindings, width }: KeyLineProps): readonly Span[] {
  const brief = bindings.filter((binding) => binding.brief !== "");
  const shown = fitBindings(brief, width - 1);
  return shown.flatMap(({ keys, brief }, index): Span[] => [
    { text: index === 0 ? " " : GAP },
    { text: keys, tone: "strong" },
    { text: ` ${brief}` },
  ]);
}

/** Help and leave come last and stay; what is before them goes from its end. */
function fitBindings(
  bindings: readonly KeyBinding[],
  width: number,
): readonly KeyBinding[] {
  let shown = bindings;
  while (shown.length > 2 && lengthOf(shown) > width) {
    shown = shown.toSpliced(-3, 1);
  }
  return shown;
}

function lengthOf(bindings: readonly KeyBinding[]): number {
  const texts = bindings.map(({ keys, brief }) => `${keys} ${brief}`);
  return widthOf(texts.join(GAP));
}
