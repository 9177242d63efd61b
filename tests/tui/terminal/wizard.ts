import { CLUSTER_NAME } from "../../e2e/rollout.ts";
import type { Shown, Terminal } from "./terminal.ts";

/** Titles of the steps, as screens show them. */
export const TITLES = {
  capability: "Key on every node",
  storage: "Storage cutover",
  rewrite: "Dwell and rewrite",
  seal: "Seal cleartext",
  raft: "Raft cutover",
  scrub: "Scrub and verify",
  rotate: "Rotate data keys",
  retire: "Retire old keys",
} as const;

export type StepName = keyof typeof TITLES;

/** Those that ask for the cluster's name. */
const ONE_WAY: ReadonlySet<StepName> = new Set([
  "storage",
  "seal",
  "raft",
  "retire",
]);

/** Where others took a step that is planned here. */
const OVERTAKEN = "Esc shows what is there now.";

/** Members seal their whole stores anew, one after the other. */
const STEP_MS_MAX = 180_000;

/** Someone before the wizard, who reads it and presses keys. */
export class Wizard {
  readonly terminal: Terminal;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  /** Opens it from a shell; the first look at the cluster is there. */
  static async open(terminal: Terminal, flags = ""): Promise<Wizard> {
    await terminal.run(`sealkv rollout ${flags}`.trimEnd());
    const wizard = new Wizard(terminal);
    await wizard.shows(CLUSTER_NAME, /\blive$/m);
    return wizard;
  }

  async shows(...wanted: readonly Shown[]): Promise<string> {
    return await this.terminal.shows(...wanted);
  }

  /** Waits until a step is in this state, as the ladder marks it. */
  async stepIs(step: StepName, mark: string): Promise<string> {
    const { terminal } = this;
    const line = markOf(step, mark);
    return await terminal.showsWithin(STEP_MS_MAX, line);
  }

  async stepIsDone(step: StepName): Promise<string> {
    return await this.stepIs(step, "x");
  }

  /** Waits until the ladder marks a step with one of these; the one. */
  async markOf(step: StepName, marks: readonly string[]): Promise<string> {
    const lines = marks.map((mark) => markOf(step, mark));
    const screen = await this.terminal.screenThat(
      `"${TITLES[step]}" is one of ${marks}`,
      (screen) => lines.some((line) => line.test(screen)),
    );
    return marks[lines.findIndex((line) => line.test(screen))]!;
  }

  /** Moves the cursor of the ladder to a step. */
  async select(step: StepName): Promise<void> {
    const names = Object.keys(TITLES);
    for (let i = 0; i < names.length; i += 1) {
      await this.terminal.press("Up");
    }
    for (let i = 0; i < names.indexOf(step); i += 1) {
      await this.terminal.press("Down");
    }
    await this.shows(new RegExp(`>.*${TITLES[step]}`));
  }

  /** From the overview to what a step would do, as the leader says it. */
  async plan(step: StepName): Promise<string> {
    await this.terminal.press("Enter");
    return await this.shows(TITLES[step], /The leader would|\(plan /);
  }

  /** From the plan on: confirms it where it wants that, and starts it. */
  async start(step: StepName): Promise<void> {
    const { terminal } = this;
    await terminal.press("Enter");
    if (!ONE_WAY.has(step)) return;
    await this.typeName(CLUSTER_NAME);
    await terminal.press("Enter");
  }

  /**
   * As start(), while others may take the step first: the screen then says so,
   * and keys that come too late do nothing. What is left of that is cleared.
   */
  async startBesideOthers(step: StepName): Promise<void> {
    const { terminal } = this;
    const until = async (wanted: string) => {
      const screen = await terminal.screenThat(
        `"${wanted}", or "${OVERTAKEN}"`,
        (screen) => screen.includes(wanted) || screen.includes(OVERTAKEN),
      );
      return !screen.includes(OVERTAKEN);
    };
    await terminal.press("Enter");
    if (ONE_WAY.has(step) && await until("Type the cluster's name")) {
      await terminal.type(CLUSTER_NAME);
      if (await until(`> ${CLUSTER_NAME}`)) await terminal.press("Enter");
    }
    const screen = await this.stepIsDone(step);
    if (screen.includes(OVERTAKEN)) await terminal.press("Escape");
    await terminal.hides(OVERTAKEN);
    // To the next step, wherever the cursor was left.
    await terminal.press("Escape");
  }

  /** Types into the box of a confirmation; it shows what was typed. */
  async typeName(name: string): Promise<void> {
    await this.shows("Type the cluster's name");
    await this.terminal.type(name);
    await this.shows(`> ${name}`);
  }

  /** Takes the next step by keys alone, until the ladder says that it is done. */
  async take(step: StepName): Promise<void> {
    await this.plan(step);
    await this.start(step);
    await this.stepIsDone(step);
  }

  /** Selects a step that is never over, takes it, and waits for its result. */
  async repeat(step: "rotate" | "retire"): Promise<void> {
    await this.select(step);
    await this.plan(step);
    await this.start(step);
    await this.terminal.showsWithin(
      STEP_MS_MAX,
      new RegExp(`${TITLES[step]}: (?:committed|done)`),
    );
  }

  /** Leaves it; the exit code. */
  async leave(): Promise<number> {
    await this.terminal.press("q");
    return await this.terminal.exitCode();
  }
}

function markOf(step: StepName, mark: string): RegExp {
  const escaped = mark.replace(/[^\w]/g, "\\$&");
  return new RegExp(`\\[${escaped}\\] \\d ${TITLES[step]}`);
}
