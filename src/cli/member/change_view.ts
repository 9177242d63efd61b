import type { ChangeOutcome } from "../../admin/client.ts";
import { planLines } from "../plan_view.ts";
import type { Services } from "../services.ts";

export interface ChangeView {
  /** As the command is called. */
  readonly change: string;
  /** "" when the cluster chooses. */
  readonly member: string;
  readonly outcome: ChangeOutcome;
  /** Further steps of the command itself, before and after the cluster's. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly isDryRun: boolean;
  readonly isJson: boolean;
  /** Further fields of the JSON. */
  readonly facts?: Readonly<Record<string, string | boolean>>;
}

/** Prints a plan, and what became of it. */
export function showChange({ terminal }: Services, view: ChangeView): void {
  const { change, member, outcome, isDryRun, facts } = view;
  const { plan, changed, memberId } = outcome;
  const steps = stepsOf(view);
  if (view.isJson) {
    const json = {
      change,
      member,
      memberId: String(memberId),
      changed,
      dryRun: isDryRun,
      plan: { hash: plan.hash, steps },
      ...facts,
    };
    terminal.out.write(`${JSON.stringify(json)}\n`);
    return;
  }
  const lines = planLines({ hash: plan.hash, steps, changed, isDryRun });
  terminal.out.write([...lines, ""].join("\n"));
}

export function stepsOf(
  { before = [], outcome, after = [] }: Pick<
    ChangeView,
    "before" | "outcome" | "after"
  >,
): readonly string[] {
  return [...before, ...outcome.plan.steps, ...after];
}
