import { deepEqual, equal, match } from "node:assert/strict";
import type { EventLog, LogLevel } from "../../src/io/log.ts";

export interface LogSubject {
  readonly log: EventLog;
  /** Lines so far, without their breaks, in JSON. */
  lines(): readonly string[];
}

/** What every `EventLog` does. */
export function runLogContract(
  name: string,
  make: (levelMin: LogLevel) => LogSubject,
): void {
  Deno.test(`${name}: write() makes one line an event, in order`, () => {
    const { log, lines } = make("debug");
    log.write("info", "node_started", { node: "n1", port: 4512 });
    log.write("error", "disk_failed");
    const events = lines().map((line) => JSON.parse(line));
    equal(events.length, 2);
    match(events[0].at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    deepEqual(Object.keys(events[0]), [
      "at",
      "level",
      "event",
      "node",
      "port",
    ]);
    equal(events[0].event, "node_started");
    equal(events[0].port, 4512);
    equal(events[1].level, "error");
  });

  Deno.test(`${name}: write() keeps hostile fields on their line`, () => {
    const { log, lines } = make("debug");
    const text = 'a\nb\r\u2028"c"\x1b[2J\x00';
    log.write("warn", "peer_said", { text, none: null, yes: true });
    equal(lines().length, 1);
    const event = JSON.parse(lines()[0]!);
    deepEqual([event.text, event.none, event.yes], [text, null, true]);
  });

  Deno.test(`${name}: a field cannot replace time, level or event`, () => {
    const { log, lines } = make("debug");
    log.write("warn", "real", { event: "forged", level: "info", at: "now" });
    const event = JSON.parse(lines()[0]!);
    deepEqual([event.event, event.level], ["real", "warn"]);
    match(event.at, /Z$/);
  });

  Deno.test(`${name}: write() drops what is below its level`, () => {
    const { log, lines } = make("warn");
    for (const level of ["debug", "info", "warn", "error"] as const) {
      log.write(level, level);
    }
    deepEqual(lines().map((line) => JSON.parse(line).event), [
      "warn",
      "error",
    ]);
  });
}
