import type { Tone } from "../look.ts";
import type { Span, TextLine } from "../parts/line.tsx";
import { wrapped } from "../text.ts";

/** Something that is known, under its name. */
export interface Fact {
  /** At most 12 characters; "" goes on with what is above. */
  readonly label: string;
  readonly value: string;
  readonly tone?: Tone;
}

const LABEL_COLUMNS = 14;

/** One below the other; long values go on beside their label. */
export function factLines(
  facts: readonly Fact[],
  width: number,
): readonly TextLine[] {
  return facts.flatMap(({ label, value, tone = "plain" }) =>
    wrapped(value, width - LABEL_COLUMNS).map((text, row): readonly Span[] => [
      { text: (row === 0 ? label : "").padEnd(LABEL_COLUMNS), tone: "dim" },
      { text, tone },
    ])
  );
}
