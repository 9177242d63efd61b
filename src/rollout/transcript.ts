import type { RunEvent } from "./run.ts";
import type { StepId } from "./step.ts";

/** Where lines of a transcript go, as they happen; resolves when durable. */
export interface TranscriptSink {
  /** As messages name it. */
  readonly path: string;
  append(text: string): Promise<void>;
}

/** What a transcript begins with. */
export interface TranscriptHead {
  readonly cluster: string;
  readonly clusterId: string;
  /** Who begins it, as user@host. */
  readonly actor: string;
  /** Unix ms. */
  readonly atMs: number;
  readonly version: string;
}

/** A command that was asked for, and of whose end the text says nothing. */
export interface PendingCommand {
  readonly step: StepId;
  readonly event: RunEvent & { readonly kind: "asked" };
}

/**
 * Text of a script that does again what was done: give it the events of every
 * step as they happen, and append what it returns.
 */
export interface TranscriptWriter {
  /** "" for an event that leaves nothing. */
  event(step: StepId, event: RunEvent): string;
}
