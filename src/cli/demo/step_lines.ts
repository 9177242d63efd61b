import type { ApplyEvent } from "../../rollout/apply.ts";

/** What a rollout that takes itself says as it goes, line by line. */
export class StepLines {
  #askedMs = 0;
  #isFirst = true;

  of(event: ApplyEvent): readonly string[] {
    switch (event.kind) {
      case "plan": {
        if (!this.#isFirst) return [];
        this.#isFirst = false;
        return event.plan.steps.filter(({ state }) => state === "done")
          .map(({ title, detail }) => `  ${title}: ${detail}`);
      }
      case "step":
        return [`  ${event.step.title}`];
      case "run": {
        const { event: run } = event;
        if (run.kind === "asked") {
          this.#askedMs = run.atMs;
          return [`    $ ${run.command}`];
        }
        if (run.kind !== "answered") return [];
        const { changed, index } = run.outcome;
        const tookS = ((run.atMs - this.#askedMs) / 1_000).toFixed(1);
        const what = changed || index === 0n ? "done" : "was done before";
        const at = index === 0n ? "" : ` at index ${index}`;
        return [`      ${what}${at}, ${tookS} s`];
      }
      default:
        return [];
    }
  }
}
