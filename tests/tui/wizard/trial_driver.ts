import type { NodeError } from "../../../src/base/error.ts";
import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import type { RunEvent, RunTerms } from "../../../src/rollout/run.ts";
import {
  NO_CHOICES,
  type RolloutSnapshot,
} from "../../../src/rollout/snapshot.ts";
import type { StepId } from "../../../src/rollout/step.ts";
import {
  type DriverOptions,
  WizardDriver,
  type WizardPorts,
} from "../../../tui/wizard/driver.ts";
import { snapshotAt } from "../../unit/rollout/snapshots.ts";
import { HandClock, ready } from "./hand_clock.ts";
import { ACTOR, rehearsed } from "./wizard_at.ts";

type Look = Parameters<WizardPorts["look"]>[0];

/** A driver before a cluster that is as the test says. */
export class TrialDriver {
  readonly clock = new HandClock();
  readonly looks: Look[] = [];
  readonly ran: { readonly step: StepId; readonly terms: RunTerms }[] = [];
  readonly commands: string[] = [];
  readonly driver: WizardDriver;
  /** Appended to the transcript. */
  transcript = "";
  snapshot: RolloutSnapshot = snapshotAt("capable");
  /** Thrown by looks; `null`: they answer. */
  failure: Error | null = null;
  /** The leader's word on what is rehearsed; `null`: it would do it. */
  refusal: NodeError | null = null;
  /** Looks wait for it. */
  delay: Promise<void> | null = null;
  #step = new EventQueue();

  constructor(given: Partial<DriverOptions> = {}) {
    this.driver = new WizardDriver({
      isReadOnly: false,
      demo: null,
      actor: ACTOR,
      choices: NO_CHOICES,
      clock: this.clock,
      transcript: {
        path: "rollout.sh",
        before: "",
        append: async (text) => {
          this.transcript += text;
        },
      },
      ports: this.#ports(),
      ...given,
    });
  }

  #ports(): WizardPorts {
    return {
      look: async (look) => {
        this.looks.push(look);
        if (this.delay !== null) await this.delay;
        if (this.failure !== null) throw this.failure;
        if (!look.isFull || look.rehearse === undefined) return this.snapshot;
        const { rehearsal, ...seen } = rehearsed(this.snapshot, look.rehearse);
        const { refusal } = this;
        return rehearsal === null || refusal === null
          ? { ...seen, rehearsal }
          : { ...seen, rehearsal: { ...rehearsal, outcome: null, refusal } };
      },
      planOf: planRollout,
      runner: () => ({
        step: (step, terms) => {
          this.ran.push({ step, terms });
          return this.#step.events();
        },
        command: (command) => {
          this.commands.push(command.kind);
          return once({
            kind: "asked",
            command: command.kind,
            asked: command,
            atMs: 1_000,
            afterIndex: 1n,
          });
        },
      }),
    };
  }

  async start(): Promise<void> {
    this.driver.start();
    await ready();
  }

  /** What the step that runs tells; `null` ends it. */
  async tell(event: RunEvent | null): Promise<void> {
    this.#step.put(event);
    await ready();
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const named = key.length > 1 && /^[A-Z]/.test(key);
      for (const one of named ? [key] : [...key]) {
        const press = { key: one, text: named ? "" : one, isBurst: false };
        this.driver.dispatch({ kind: "press", press, offsetMax: 10 });
        await ready();
      }
    }
  }
}

/** Events that come when the test says so. */
class EventQueue {
  #waiting = Promise.withResolvers<void>();
  #events: (RunEvent | null)[] = [];

  put(event: RunEvent | null): void {
    this.#events.push(event);
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers<void>();
  }

  async *events(): AsyncGenerator<RunEvent, void> {
    while (true) {
      const event = this.#events.shift();
      if (event === null) return;
      if (event === undefined) await this.#waiting.promise;
      else yield event;
    }
  }
}

async function* once(event: RunEvent): AsyncGenerator<RunEvent, void> {
  yield event;
}
