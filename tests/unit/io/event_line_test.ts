import { equal } from "node:assert/strict";
import { formatEvent } from "../../../src/io/event_line.ts";

const AT = { atMs: Date.UTC(2025, 0, 2, 3, 4, 5, 6), level: "warn" } as const;

const PRETTY: readonly [value: string | number | null, text: string][] = [
  ["127.0.0.1:4512", "127.0.0.1:4512"],
  ["two words", '"two words"'],
  ["", '""'],
  ["a=b", '"a=b"'],
  ["line\nbreak", '"line\\nbreak"'],
  ["\x1b[2J", '"\\u001b[2J"'],
  ["\x9b2J", '"\\u009b2J"'],
  ["\u202eevil", '"\\u202eevil"'],
  [12, "12"],
  [null, "null"],
];

for (const [value, text] of PRETTY) {
  Deno.test(`formatEvent() prints ${JSON.stringify(value)} as ${text}`, () => {
    equal(
      formatEvent({ ...AT, event: "e", fields: { value } }, "pretty"),
      `2025-01-02T03:04:05.006Z WARN  e value=${text}`,
    );
  });
}

Deno.test("formatEvent() colours by level", () => {
  equal(
    formatEvent({ ...AT, event: "e", fields: {} }, "coloured"),
    "\x1b[90m2025-01-02T03:04:05.006Z\x1b[0m \x1b[33mWARN \x1b[0m \x1b[1me\x1b[0m",
  );
});
