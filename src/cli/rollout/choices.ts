import type { Clock } from "../../io/clock.ts";
import type { RolloutChoices } from "../../rollout/snapshot.ts";
import { acceptedRisks, type RiskFlags } from "../encryption/accepted_risks.ts";

export interface ChoiceFlags extends RiskFlags {
  /** Milliseconds from now on. */
  readonly dwell?: number | undefined;
  readonly rate?: number | undefined;
}

const SECOND_MS = 1_000;

/** What flags decide beforehand. */
export function choicesOf(flags: ChoiceFlags, clock: Clock): RolloutChoices {
  const { dwell, rate = 0 } = flags;
  const dwellUntilMs = dwell === undefined
    ? 0
    : Math.ceil((clock.wallMs() + dwell) / SECOND_MS) * SECOND_MS;
  const { accept = [] } = acceptedRisks(flags);
  return { accept, bytesPerSecond: rate, dwellUntilMs };
}
