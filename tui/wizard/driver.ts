import { NodeError } from "../../src/base/error.ts";
import type { Clock, Timer } from "../../src/io/clock.ts";
import type { RunCommand, RunEvent, RunStep } from "../../src/rollout/run.ts";
import type {
  RolloutChoices,
  RolloutSnapshot,
} from "../../src/rollout/snapshot.ts";
import type { StepId } from "../../src/rollout/step.ts";
import { RateMeter } from "../../src/rollout/rate_meter.ts";
import type { TranscriptSink } from "../../src/rollout/transcript.ts";
import type { StepCommand } from "../../src/rollout/command.ts";
import type { DemoPane } from "../world.ts";
import { demoSeen } from "./demo_seen.ts";
import type { Effect, WizardEvent } from "./event.ts";
import { type LookWish, wishOf } from "./look_wish.ts";
import { type PlanOf, wizardReducer } from "./reduce.ts";
import {
  activeRun,
  type Beginning,
  beginWizard,
  type WizardState,
} from "./state.ts";
import { TranscriptLog } from "./transcript_log.ts";

/** What the driver asks of a cluster. */
export interface WizardPorts {
  look(options: {
    readonly choices: RolloutChoices;
    readonly previous: RolloutSnapshot | null;
    readonly isFull: boolean;
    readonly rehearse?: StepId;
  }): Promise<RolloutSnapshot>;
  readonly planOf: PlanOf;
  runner(choices: RolloutChoices): {
    readonly step: RunStep;
    readonly command: RunCommand;
  };
}

export interface DriverOptions extends Omit<Beginning, "demo"> {
  readonly demo: DemoPane | null;
  readonly ports: WizardPorts;
  readonly clock: Clock;
  readonly transcript: TranscriptSink;
}

/** Between two words that a look is still out. */
const WAIT_MS = 2_000;

/**
 * Holds the state of the wizard and does what it wants done: looks at the
 * cluster in its rhythm, runs steps, writes the transcript. Draws nothing.
 */
export class WizardDriver {
  readonly #options: DriverOptions;
  readonly #reduce: ReturnType<typeof wizardReducer>;
  readonly #listeners = new Set<() => void>();
  readonly #left = new AbortController();
  #state: WizardState;
  #timer: Timer | null = null;
  #isLooking = false;
  /** The look that is out may not see what was done meanwhile. */
  #isHurried = false;
  /** Of the last look that proved and rehearsed. */
  #fullMs = -Infinity;
  #lastWish: LookWish | null = null;
  readonly #meter = new RateMeter();
  readonly #transcript: TranscriptLog;
  /** Of commands beside a step: a transcript has one after the other. */
  #steered: readonly RunEvent[] = [];

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#reduce = wizardReducer(options.ports.planOf);
    this.#state = beginWizard({
      ...options,
      demo: demoSeen(options.demo),
    });
    this.#transcript = new TranscriptLog({
      sink: options.transcript,
      actor: options.actor,
      onFailure: (error) => {
        const { message, remedy } = error;
        const text = `No transcript is written: ${message}. ${remedy}`;
        this.dispatch({ kind: "notice", text });
      },
    });
  }

  readonly state = (): WizardState => this.#state;

  /** Calls `listener` after every change; returns how to end that. */
  readonly subscribe = (listener: () => void): () => void => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Begins to look. */
  start(): void {
    void this.#look();
  }

  /** Ends looks, never a step; resolves when the transcript is written. */
  async leave(): Promise<void> {
    this.#left.abort();
    this.#timer?.cancel();
    this.#noteSteered();
    await this.#transcript.flushed();
  }

  /** What happened so far is in it, or will be. */
  get isTranscriptWhole(): boolean {
    return !this.#transcript.isFailed;
  }

  readonly dispatch = (event: WizardEvent): void => {
    if (this.#left.signal.aborted) return;
    const { state, effects } = this.#reduce(this.#state, event);
    const isChanged = state !== this.#state;
    this.#state = state;
    for (const effect of effects) void this.#carryOut(effect);
    if (!isChanged) return;
    for (const listener of this.#listeners) listener();
    this.#lookSooner();
  };

  /** What is shown now may want another look than the one that is due. */
  #lookSooner(): void {
    if (this.#isLooking || this.#timer === null) return;
    const wish = wishOf(this.#state);
    const last = this.#lastWish;
    if (last === null) return;
    const isAnew = wish.rehearse !== last.rehearse ||
      wish.choices !== last.choices;
    if (!isAnew && wish.everyMs >= last.everyMs) return;
    if (isAnew) this.#fullMs = -Infinity;
    this.#timer.cancel();
    void this.#look();
  }

  async #look(): Promise<void> {
    const { ports, clock } = this.#options;
    const { choices, seen } = this.#state;
    const wish = wishOf(this.#state);
    const { rehearse } = wish;
    const startMs = clock.monotonicMs();
    const beganAmid = activeRun(this.#state) !== null;
    const isFull = startMs - this.#fullMs >= wish.fullMs;
    this.#lastWish = wish;
    this.#isLooking = true;
    this.#wait();
    try {
      const snapshot = await ports.look({
        choices,
        previous: seen?.snapshot ?? null,
        isFull,
        ...(rehearse === null ? {} : { rehearse }),
      });
      if (isFull) this.#fullMs = startMs;
      this.#looked(snapshot, beganAmid);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      const nowMs = clock.monotonicMs();
      this.dispatch({ kind: "look-failed", error, nowMs });
    } finally {
      this.#isLooking = false;
      this.#timer?.cancel();
    }
    if (this.#left.signal.aborted) return;
    const delayMs = this.#isHurried ? 0 : wishOf(this.#state).everyMs;
    if (this.#isHurried) this.#fullMs = -Infinity;
    this.#isHurried = false;
    this.#timer = clock.after(delayMs, () => void this.#look());
    this.#lookSooner();
  }

  /** Ages what is shown while a look takes its time. */
  #wait(): void {
    const { clock } = this.#options;
    this.#timer = clock.after(WAIT_MS, () => {
      this.dispatch({ kind: "waited", nowMs: clock.monotonicMs() });
      this.#wait();
    });
  }

  #looked(snapshot: RolloutSnapshot, beganAmid: boolean): void {
    const nowMs = this.#options.clock.monotonicMs();
    const members = snapshot.rewrite?.members ?? [];
    this.#meter.add(nowMs, members);
    const estimate = this.#meter.estimate();
    const before = this.#state.seen?.plan.next;
    const demo = demoSeen(this.#options.demo);
    this.dispatch({
      ...{ kind: "looked", snapshot, estimate, demo, beganAmid, nowMs },
    });
    const { seen } = this.#state;
    // Another step is next: what it wants is not asked for yet.
    if (before !== undefined && before !== seen?.plan.next) {
      this.#isHurried = true;
    }
    if (seen === null || this.#state.isReadOnly) return;
    this.#transcript.begin(seen, this.#state);
  }

  async #carryOut(effect: Effect): Promise<void> {
    if (effect.kind === "steer") await this.#steer(effect.command);
    else await this.#run(effect);
    this.#fullMs = -Infinity;
    this.#hurry();
  }

  async #run({ step, planHash, only }: Effect & { readonly kind: "run" }) {
    const { ports, clock } = this.#options;
    const { choices } = this.#state;
    const terms = {
      ...{ ...this.#terms(), planHash },
      ...(only === null ? {} : { only }),
    };
    for await (const event of ports.runner(choices).step(step, terms)) {
      this.#transcript.note(step, event, choices.accept);
      this.dispatch({ kind: "run", event });
    }
    this.dispatch({ kind: "run-over", atMs: clock.wallMs() });
    this.#noteSteered();
  }

  async #steer(command: StepCommand): Promise<void> {
    const runner = this.#options.ports.runner(this.#state.choices);
    for await (const event of runner.command(command, this.#terms())) {
      this.#steered = [...this.#steered, event];
      this.dispatch({ kind: "steered", event });
    }
    if (activeRun(this.#state) === null) this.#noteSteered();
  }

  #terms() {
    const confirm = this.#state.seen?.plan.cluster ?? "";
    return { confirm, planHash: "", signal: this.#left.signal };
  }

  #noteSteered(): void {
    const { accept } = this.#state.choices;
    for (const event of this.#steered) {
      this.#transcript.note("rewrite", event, accept);
    }
    this.#steered = [];
  }

  /** What was done shows at once. */
  #hurry(): void {
    if (this.#left.signal.aborted) return;
    if (this.#isLooking) {
      this.#isHurried = true;
      return;
    }
    this.#timer?.cancel();
    void this.#look();
  }
}
