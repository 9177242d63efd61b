import { formatEvent } from "../event_line.ts";
import { type EventLog, LOG_LEVELS, type LogFormat } from "../log.ts";
import type { LogLevel } from "../log.ts";

export interface DenoLogOptions {
  readonly levelMin: LogLevel;
  /** Left out: coloured or pretty on a terminal, JSON elsewhere. */
  readonly format?: LogFormat;
  /** Where lines go; standard error when left out. */
  readonly sink?: LogSink;
}

/** The part of a stream that the log needs. */
export interface LogSink {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

const encoder = new TextEncoder();

/** Events on standard error, one line each; standard output stays free. */
export function denoLog(options: DenoLogOptions): EventLog {
  const sink = options.sink ?? Deno.stderr;
  const format = options.format ?? terminalFormat(sink);
  const from = LOG_LEVELS.indexOf(options.levelMin);
  return {
    write(level, event, fields = {}): void {
      if (LOG_LEVELS.indexOf(level) < from) return;
      const atMs = Date.now();
      const line = formatEvent({ atMs, level, event, fields }, format);
      writeAll(sink, encoder.encode(`${line}\n`));
    },
  };
}

function terminalFormat(sink: LogSink): LogFormat {
  if (!sink.isTerminal()) return "json";
  const isPlain = Deno.noColor || Deno.env.get("TERM") === "dumb";
  return isPlain ? "pretty" : "coloured";
}

/** A reader that is gone must not stop the node. */
function writeAll(sink: LogSink, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) {
      at += sink.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
