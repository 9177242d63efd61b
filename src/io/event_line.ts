import type { LogFields, LogFormat, LogLevel } from "./log.ts";

const COLOURS: Readonly<Record<LogLevel, number>> = {
  debug: 90,
  info: 32,
  warn: 33,
  error: 31,
};

/** One event as it is written. */
export interface LogEvent {
  /** Unix ms. */
  readonly atMs: number;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

/**
 * One line for `event`, without its line break.
 *
 * JSON has `at`, `level` and `event` first; a field cannot replace them. A
 * field of any content stays on the line.
 */
export function formatEvent(event: LogEvent, format: LogFormat): string {
  const at = new Date(event.atMs).toISOString();
  if (format === "json") {
    const own = { at, level: event.level, event: event.event };
    return JSON.stringify(Object.assign({ ...own }, event.fields, own));
  }
  const level = event.level.toUpperCase().padEnd(5);
  const fields = Object.entries(event.fields)
    .map(([name, value]) => ` ${name}=${fieldText(value)}`).join("");
  if (format === "pretty") return `${at} ${level} ${event.event}${fields}`;
  const paint = (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`;
  return `${paint(90, at)} ${paint(COLOURS[event.level], level)} ` +
    `${paint(1, event.event)}${fields === "" ? "" : paint(90, fields)}`;
}

/** Quoted unless plainly readable: what a peer sent must not draw. */
function fieldText(value: LogFields[string]): string {
  if (typeof value !== "string") return String(value);
  if (/^[\w.:/@+\-]+$/.test(value)) return value;
  return JSON.stringify(value).replaceAll(
    /[\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
