/** Severity of one event, least first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values of one event: no secrets, no user values, user keys only hashed. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | null>
>;

/** One line per event for operators. Not the raft log. */
export interface EventLog {
  /** `event` is snake_case and stable: alerts match on it. */
  write(level: LogLevel, event: string, fields?: LogFields): void;
}

/** How an event is laid out on its line. */
export type LogFormat = "json" | "pretty" | "coloured";
