/** A plan as commands show it. */
export interface PlanView {
  /** "" for a plan of which the cluster knows nothing. */
  readonly hash: string;
  readonly steps: readonly string[];
  readonly changed: boolean;
  readonly isDryRun: boolean;
  /** The name that a one-way step wants; "" for none. */
  readonly confirm?: string;
}

/** The plan, its steps, and what became of it. */
export function planLines(view: PlanView): readonly string[] {
  const { hash, steps } = view;
  return [
    hash === "" ? "plan" : `plan ${hash}`,
    ...steps.map((step, position) => `  ${position + 1}. ${step}`),
    endOf(view),
  ];
}

function endOf(
  { hash, changed, isDryRun, confirm = "" }: PlanView,
): string {
  if (isDryRun) {
    const name = confirm === "" ? "" : ` --confirm ${confirm}`;
    const how = hash === "" ? "" : `; to do this: --plan ${hash}${name}`;
    return `nothing was changed${how}`;
  }
  return changed ? "done" : "nothing to do: it is so already";
}
