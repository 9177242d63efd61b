import type { Clock } from "../../io/clock.ts";
import type { ApplyEvent } from "../../rollout/apply.ts";
import type { RunEvent } from "../../rollout/run.ts";
import type { RolloutPlan, StepId } from "../../rollout/step.ts";
import { timeText } from "../../base/time_text.ts";
import { Progress } from "../progress.ts";
import { phaseText } from "../status_view.ts";
import { spanText, taskJson } from "../task_text.ts";
import type { Terminal } from "../terminal.ts";
import { wrapped } from "../wrap.ts";

/** What a rollout does, line by line: for people, or as JSON. */
export class ApplyView {
  readonly #terminal: Terminal;
  readonly #progress: Progress;
  readonly #isJson: boolean;
  #plan: RolloutPlan | null = null;
  #askedMs = 0;
  #dwellUntilMs = 0;

  constructor(terminal: Terminal, clock: Clock, isJson: boolean) {
    this.#terminal = terminal;
    this.#progress = new Progress(terminal, clock);
    this.#isJson = isJson;
  }

  show(event: ApplyEvent): void {
    if (this.#isJson) {
      const json = eventJson(event);
      if (json !== null) {
        this.#terminal.out.write(`${JSON.stringify(json)}\n`);
      }
      return;
    }
    if (event.kind === "run" && event.event.kind === "progress") {
      this.#progress.show(event.event.progress.tasks);
      return;
    }
    this.clear();
    const lines = this.#linesOf(event).flatMap(wrapped);
    this.#terminal.out.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** Takes bars away. */
  clear(): void {
    this.#progress.clear();
  }

  #linesOf(event: ApplyEvent): readonly string[] {
    switch (event.kind) {
      case "plan": {
        const isFirst = this.#plan === null;
        this.#plan = event.plan;
        return isFirst ? firstLines(event.plan) : [];
      }
      case "step": {
        const { title, isOneWay } = event.step;
        return [`${title}${isOneWay ? " (one way)" : ""}`];
      }
      case "run":
        return this.#runLines(event.event);
      case "dwelling": {
        const isTold = this.#dwellUntilMs === event.untilMs;
        this.#dwellUntilMs = event.untilMs;
        const until = timeText(event.untilMs);
        return isTold ? [] : [`waiting for the end of the dwell, ${until}`];
      }
      case "ended":
        return event.end.kind === "done"
          ? [`phase ${phaseText(this.#plan?.phase ?? 0)}`, "done"]
          : event.end.kind === "interrupted"
          ? [
            "no longer looking; what members are at goes on; give the same " +
            "command again to go on",
          ]
          : [`stopped at the step "${event.end.step}"`];
    }
  }

  #runLines(event: RunEvent): readonly string[] {
    switch (event.kind) {
      case "asked":
        this.#askedMs = event.atMs;
        return [`  $ ${event.command}`];
      case "answered":
        return [`    ${answerText(event, event.atMs - this.#askedMs)}`];
      default:
        return [];
    }
  }
}

function firstLines({ cluster, phase, steps }: RolloutPlan): readonly string[] {
  const done = steps.filter(({ state }) => state === "done")
    .map(({ title }) => title);
  const before = done.length === 0 ? [] : [`done before: ${done.join(", ")}`];
  return [`${cluster}, phase ${phaseText(phase)}`, ...before];
}

function answerText(
  { outcome, isOthers, asked }: Extract<RunEvent, { kind: "answered" }>,
  tookMs: number,
): string {
  if (asked?.kind === "verify") return "no record is cleartext";
  const { changed, index, unreachable } = outcome;
  const word = changed
    ? isOthers ? "done by somebody else" : "done"
    : "nothing to do: it is so already";
  return [
    word,
    ...index === 0n ? [] : [`index ${index}`],
    ...tookMs < 1_000 ? [] : [`took ${spanText(tookMs)}`],
    ...unreachable.length === 0
      ? []
      : [`not asked, for they do not answer: ${unreachable.join(", ")}`],
  ].join(", ");
}

/** One object a line; u64 as strings. `null` for what says nothing new. */
function eventJson(event: ApplyEvent): Record<string, unknown> | null {
  switch (event.kind) {
    case "plan":
      return null;
    case "step": {
      const { step, atMs } = event;
      const { id, title, isOneWay } = step;
      return { event: "step", step: id, title, oneWay: isOneWay, ...at(atMs) };
    }
    case "run":
      return runJson(event.step, event.event);
    case "dwelling": {
      const until = timeText(event.untilMs);
      return { event: "dwelling", step: event.step, until, ...at(event.atMs) };
    }
    case "ended":
      return { event: "ended", end: event.end.kind, ...at(event.atMs) };
  }
}

function runJson(step: StepId, event: RunEvent): Record<string, unknown> {
  const { kind } = event;
  if (kind === "progress") {
    const { tasks, isPaused } = event.progress;
    const members = tasks.map(taskJson);
    return { event: kind, step, paused: isPaused, members };
  }
  const about = {
    event: kind,
    step,
    command: event.command,
    ...at(event.atMs),
  };
  if (kind === "asked") return about;
  if (kind === "failed") {
    const { code, message, remedy } = event.error;
    return { ...about, error: { code, message, remedy } };
  }
  const { changed, index, plan, unreachable } = event.outcome;
  return {
    ...about,
    ...{ changed, byOthers: event.isOthers, index: String(index) },
    ...{ plan, unreachable },
  };
}

function at(ms: number) {
  return { at: timeText(ms) };
}
