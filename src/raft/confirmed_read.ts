import { decodePosition } from "./read_queue.ts";
import type { ReadState } from "./state.ts";
import type { LogIndex } from "./types.ts";

/** A round of reads that a state at `index` or later answers. */
export interface ConfirmedRead {
  readonly round: number;
  readonly index: LogIndex;
}

/** The rounds among `states`; what is not a round's token is left out. */
export function confirmedReads(
  states: readonly ReadState[],
): readonly ConfirmedRead[] {
  if (states.length === 0) return [];
  const reads: ConfirmedRead[] = [];
  for (const { index, token } of states) {
    const round = decodePosition(token);
    if (round !== null) reads.push({ round, index });
  }
  return reads;
}
