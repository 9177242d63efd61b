import type { AcceptableRisk } from "../../src/admin/client.ts";
import { NodeError } from "../../src/base/error.ts";
import { VERSION } from "../../src/base/version.ts";
import type { RunEvent } from "../../src/rollout/run.ts";
import type { StepId } from "../../src/rollout/step.ts";
import {
  type TranscriptSink,
  type TranscriptWriter,
  transcriptWriter,
} from "../../src/rollout/transcript.ts";
import type { Seen, WizardState } from "./state.ts";

export interface TranscriptLogOptions {
  readonly sink: TranscriptSink;
  readonly actor: string;
  /** What is not written is told. */
  onFailure(error: NodeError): void;
}

/** The transcript of what is done from this screen; looking leaves none. */
export class TranscriptLog {
  readonly #options: TranscriptLogOptions;
  #writer: TranscriptWriter | null = null;
  /** What comes before the first piece. */
  #opening = "";
  /** Pieces are written one after the other. */
  #written: Promise<void> = Promise.resolve();
  #isFailed = false;

  constructor(options: TranscriptLogOptions) {
    this.#options = options;
  }

  /** Begins it, or goes on with it, by the first look at the cluster. */
  begin({ snapshot, plan }: Seen, { choices }: WizardState): void {
    if (this.#writer !== null || this.#isFailed) return;
    const { sink, actor } = this.#options;
    const { cluster, clusterId } = snapshot.status;
    const { atMs, events } = snapshot;
    const head = { cluster, clusterId, actor, atMs, version: VERSION };
    const { accept } = choices;
    try {
      this.#writer = transcriptWriter(sink, { head, accept, plan, events });
      this.#opening = this.#writer.opening;
    } catch (error) {
      this.#fail(error);
    }
  }

  note(
    step: StepId,
    event: RunEvent,
    accept: readonly AcceptableRisk[],
  ): void {
    const said = this.#writer?.event(step, event, accept) ?? "";
    if (said === "") return;
    const text = this.#opening + said;
    this.#opening = "";
    this.#written = this.#written
      .then(() => this.#append(text))
      .catch((error) => this.#fail(error));
  }

  /** Nothing is written any more: a script that lacks a step does harm. */
  get isFailed(): boolean {
    return this.#isFailed;
  }

  async #append(text: string): Promise<void> {
    if (!this.#isFailed) await this.#options.sink.append(text);
  }

  /** Resolves when all of it is durable, or is known not to be. */
  async flushed(): Promise<void> {
    await this.#written;
  }

  #fail(error: unknown): void {
    if (!(error instanceof NodeError)) throw error;
    if (!this.#isFailed) this.#options.onFailure(error);
    this.#isFailed = true;
  }
}
