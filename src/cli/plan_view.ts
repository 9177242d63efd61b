/** A plan as commands show it. */
export interface PlanView {
  /** "" for a plan of which the cluster knows nothing. */
  readonly hash: string;
  readonly steps: readonly string[];
  readonly changed: boolean;
  readonly isDryRun: boolean;
  /** Further flags that carry out exactly this. */
  readonly flags?: readonly string[];
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
  { hash, changed, isDryRun, flags = [] }: PlanView,
): string {
  if (isDryRun) {
    const all = [`--plan ${hash}`, ...flags].join(" ");
    const how = hash === "" ? "" : `; to do this: ${all}`;
    return `nothing was changed${how}`;
  }
  return changed ? "done" : "nothing to do: it is so already";
}
