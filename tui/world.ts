import type { AdminClient } from "../src/admin/client.ts";
import type { Clock } from "../src/io/clock.ts";
import type { ScreenPort } from "../src/io/screen.ts";
import type { RolloutChoices } from "../src/rollout/snapshot.ts";
import type { TranscriptSink } from "../src/rollout/transcript.ts";

export type { TranscriptSink } from "../src/rollout/transcript.ts";

/** What a screen needs of the world; tests replace parts of it. */
export interface TuiWorld {
  readonly client: AdminClient;
  readonly clock: Clock;
  readonly screen: ScreenPort;
  /** As given: `host:port`, separated by commas. */
  readonly admin: string;
  /** Who types, as user@host. */
  readonly actor: string;
  env(name: string): string | undefined;
}

/** What is found on the disk of one of a demo's members. */
export interface DemoFinding {
  readonly member: string;
  /** Files with the canary, shortest first; empty when none has it. */
  readonly files: readonly string[];
  readonly searched: { readonly files: number; readonly bytes: number };
}

/** Of a demo's program that writes, since the start. */
export interface DemoWrites {
  readonly count: number;
  readonly failed: number;
}

export interface DemoPane {
  /** The text that is looked for. */
  readonly canary: string;
  /** What becomes of the nodes when the screen is left, as sentences. */
  readonly ending: string;
  writes(): DemoWrites;
  /** As of the last look; `null` before one. */
  findings(): readonly DemoFinding[] | null;
}

export interface WizardOptions {
  readonly isReadOnly: boolean;
  readonly choices: RolloutChoices;
  readonly transcript: TranscriptSink;
  readonly demo: DemoPane | null;
}

/** How a screen ended. */
export interface TuiEnd {
  /** 0, 130 when interrupted. */
  readonly exitCode: 0 | 130;
  /** For the main screen, once the alternate one is gone. */
  readonly report: readonly string[];
}
