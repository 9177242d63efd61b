import type { ClusterView } from "../cluster_view.ts";
import type { RolloutChoices, RolloutSnapshot } from "../snapshot.ts";
import type { StepId } from "../step.ts";

/** What checks of one step are made of. */
export interface CheckFacts {
  readonly step: StepId;
  readonly snapshot: RolloutSnapshot;
  /** Of the snapshot. */
  readonly view: ClusterView;
  readonly choices: RolloutChoices;
}
