import type { Clock } from "../../../src/io/clock.ts";
import { formatEvent, type LogEvent } from "../../../src/io/event_line.ts";
import {
  type EventLog,
  LOG_LEVELS,
  type LogFields,
  type LogLevel,
} from "../../../src/io/log.ts";

/** Keeps every event for tests to look at. */
export class SimLog implements EventLog {
  readonly events: LogEvent[] = [];
  readonly #clock: Pick<Clock, "wallMs">;
  readonly #levelMin: LogLevel;

  constructor(
    clock: Pick<Clock, "wallMs"> = { wallMs: () => 0 },
    levelMin: LogLevel = "debug",
  ) {
    this.#clock = clock;
    this.#levelMin = levelMin;
  }

  write(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.#levelMin)) return;
    this.events.push({ atMs: this.#clock.wallMs(), level, event, fields });
  }

  lines(): string[] {
    return this.events.map((event) => formatEvent(event, "json"));
  }

  /** Events of one name. */
  named(event: string): LogEvent[] {
    return this.events.filter((item) => item.event === event);
  }
}
