import assert from "node:assert/strict";
import { Progress } from "../../../src/cli/progress.ts";
import { barLines, spanText } from "../../../src/cli/task_text.ts";
import { wrapped } from "../../../src/cli/wrap.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { taskOf } from "./encryption/values.ts";
import { fakeServices, recordingOutput } from "./fake_services.ts";

const SPANS: [ms: number, text: string][] = [
  [0, "0 s"],
  [1, "1 s"],
  [119_000, "119 s"],
  [120_000, "2 min"],
  [7_199_000, "2 h"],
  [9_000_000, "2 h 30 min"],
  [172_800_000, "2 d"],
  [180_000_000, "2 d 2 h"],
];
for (const [ms, text] of SPANS) {
  Deno.test(`spanText(${ms}) is "${text}"`, () => {
    assert.equal(spanText(ms), text);
  });
}

Deno.test("barLines() never says 100 % before it is done, nor more", () => {
  const [almost = "", over = ""] = barLines([
    taskOf("n1", { done: 9_999n, total: 10_000n }),
    taskOf("n2", { done: 12n, total: 10n }),
  ]);
  assert.match(almost, /^n1 \[#{19}-\] {2}99% /);
  assert.match(over, /^n2 \[#{20}\] 100% 12\/10 records/);
});

Deno.test("barLines() keeps to 80 columns and lines up", () => {
  const lines = barLines([
    taskOf("a".repeat(63), { done: 2n ** 62n, total: 2n ** 63n }),
    taskOf("n2", { state: "failed", failure: "x".repeat(200) }),
    taskOf("n3", { state: "unknown", total: 0n }),
  ]);
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.ok(lines[1]?.endsWith("…"));
  assert.match(lines[2] ?? "", /^n3 {14} \[ {20}\] unknown$/);
});

Deno.test("Progress tells a line a second where there is no terminal", () => {
  const clock = new SimClock();
  const err = recordingOutput(false);
  const { terminal } = fakeServices({}, recordingOutput(false), err);
  const progress = new Progress(terminal, clock);
  progress.show([]);
  for (let i = 0; i < 5; i += 1) {
    progress.show([taskOf("n1")]);
    clock.advance(400);
  }
  progress.clear();
  const line = "n1: 2 s left, 50/100 records, 1.0 MiB/s\n";
  assert.equal(err.text(), line + line);
});

Deno.test("Progress draws no bars on a dumb terminal", () => {
  const err = recordingOutput(true);
  const env = { TERM: "dumb" };
  const { terminal } = fakeServices({ env }, recordingOutput(true), err);
  new Progress(terminal, new SimClock()).show([taskOf("n1")]);
  assert.ok(!err.text().includes("\x1b"));
});

Deno.test("Progress takes away bars of members that are gone", () => {
  const err = recordingOutput(true);
  const { terminal } = fakeServices({}, recordingOutput(true), err);
  const progress = new Progress(terminal, new SimClock());
  progress.show([taskOf("n1"), taskOf("n2")]);
  progress.show([taskOf("n1")]);
  assert.ok(err.text().endsWith("\x1b[K\n\x1b[J"));
});

Deno.test("wrapped() hangs what follows below its first word", () => {
  const words = Array.from({ length: 20 }, () => "words").join(" ");
  const [first = "", second = ""] = wrapped(`  1. ${words}`);
  assert.ok(first.length <= 80);
  assert.match(second, /^ {5}words/);
  assert.match(wrapped(`  ${words}`)[1] ?? "", /^ {4}words/);
  assert.deepEqual(wrapped(""), [""]);
  assert.deepEqual(wrapped("x".repeat(100)), ["x".repeat(100)]);
});
