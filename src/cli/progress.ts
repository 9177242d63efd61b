import type { ClusterTask } from "../admin/client.ts";
import type { Clock } from "../io/clock.ts";
import { barLines, taskLine } from "./task_text.ts";
import type { Terminal } from "./terminal.ts";

const LINE_GAP_MS = 1_000;
const CLEAR_LINE = "\x1b[K";

/**
 * Talk about long tasks on standard error: bars that stay in place on a
 * terminal, elsewhere a line a second.
 */
export class Progress {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #drawn = 0;
  #toldMs: number | null = null;

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  show(tasks: readonly ClusterTask[]): void {
    const { err, env } = this.#terminal;
    if (err.isTerminal && env("TERM") !== "dumb") {
      this.#draw(barLines(tasks));
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const isEarly = this.#toldMs !== null &&
      nowMs - this.#toldMs < LINE_GAP_MS;
    if (isEarly || tasks.length === 0) return;
    this.#toldMs = nowMs;
    err.write(`${taskLine(tasks)}\n`);
  }

  /** Says on a terminal that something is waited for. */
  wait(text: string): void {
    const { err, env } = this.#terminal;
    if (err.isTerminal && env("TERM") !== "dumb") this.#draw([text]);
  }

  /** Takes away what stays in place. */
  clear(): void {
    if (this.#drawn === 0) return;
    this.#terminal.err.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #draw(lines: readonly string[]): void {
    const up = this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A`;
    const rest = lines.length < this.#drawn ? "\x1b[J" : "";
    const text = lines.map((line) => `${line}${CLEAR_LINE}\n`).join("");
    this.#terminal.err.write(`${up}${text}${rest}`);
    this.#drawn = lines.length;
  }
}
