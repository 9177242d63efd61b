import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import {
  NO_CHOICES,
  type RolloutSnapshot,
} from "../../../src/rollout/snapshot.ts";
import type { StepId } from "../../../src/rollout/step.ts";
import type { KeyPress } from "../../../tui/keys.ts";
import type { Effect, WizardEvent } from "../../../tui/wizard/event.ts";
import { wizardReducer } from "../../../tui/wizard/reduce.ts";
import {
  type Beginning,
  beginWizard,
  type WizardState,
} from "../../../tui/wizard/state.ts";
import { type Rung, snapshotAt } from "../../unit/rollout/snapshots.ts";

export const ACTOR = "ben@desk";
export const HASH = "00112233aabbccdd";
export const OFFSET_MAX = 20;

const reduce = wizardReducer(planRollout);

/** A wizard and all that it wanted done, for tables of events. */
export class Trial {
  state: WizardState;
  readonly effects: Effect[] = [];

  constructor(given: Partial<Beginning> = {}) {
    this.state = beginWizard({
      isReadOnly: false,
      demo: null,
      actor: ACTOR,
      choices: NO_CHOICES,
      ...given,
    });
  }

  on(event: WizardEvent): this {
    const { state, effects } = reduce(this.state, event);
    this.state = state;
    this.effects.push(...effects);
    return this;
  }

  view(): string {
    return this.state.view.kind;
  }

  looks(snapshot: RolloutSnapshot, nowMs = 1_000): this {
    return this.on({
      kind: "looked",
      snapshot,
      estimate: null,
      demo: this.state.demo,
      beganAmid: false,
      nowMs,
    });
  }

  /** Keys by their names, and words letter by letter. */
  presses(...keys: readonly string[]): this {
    for (const key of keys.flatMap(pressesOf)) this.presses1(key);
    return this;
  }

  presses1(press: KeyPress): this {
    return this.on({ kind: "press", press, offsetMax: OFFSET_MAX });
  }
}

const NAMED =
  /^(?:Enter|Tab|Shift-Tab|Escape|Up|Down|Page\w+|Backspace|Ctrl-\w)$/;

function pressesOf(key: string): readonly KeyPress[] {
  if (NAMED.test(key)) return [{ key, text: "", isBurst: false }];
  return [...key].map((text) => ({ key: text, text, isBurst: false }));
}

/** One that looked at a cluster on this rung. */
export function wizardAt(
  rung: Rung,
  given: Partial<Beginning> = {},
): Trial {
  return new Trial(given).looks(snapshotAt(rung));
}

/** The same cluster, whose leader says what it would do. */
export function rehearsed(
  snapshot: RolloutSnapshot,
  step: StepId,
  hash = HASH,
): RolloutSnapshot {
  const plan = { hash, steps: ["draw keys", "seal what is written"] };
  const [command = ""] = planRollout(snapshot, NO_CHOICES).steps
    .find(({ id }) => id === step)?.commands ?? [];
  const outcome = { plan, changed: false, index: 0n, unreachable: [] };
  return {
    ...snapshot,
    rehearsal: { step, command, outcome, refusal: null },
  };
}
