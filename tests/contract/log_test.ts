import { equal, match } from "node:assert/strict";
import { denoLog, type LogSink } from "../../src/io/deno/log.ts";
import { SimLog } from "../sim/io/log.ts";
import { runLogContract } from "./log_contract.ts";

/** A stream that takes a few bytes at a time, as a full pipe does. */
class SlowSink implements LogSink {
  text = "";
  readonly #isTerminal: boolean;

  constructor(isTerminal: boolean) {
    this.#isTerminal = isTerminal;
  }

  writeSync(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, 7);
    this.text += String.fromCharCode(...taken);
    return taken.length;
  }

  isTerminal(): boolean {
    return this.#isTerminal;
  }
}

runLogContract("denoLog", (levelMin) => {
  const sink = new SlowSink(false);
  return {
    log: denoLog({ levelMin, sink }),
    lines: () => {
      const bytes = Uint8Array.from(sink.text, (char) => char.charCodeAt(0));
      return new TextDecoder().decode(bytes).split("\n").slice(0, -1);
    },
  };
});

runLogContract("SimLog", (levelMin) => {
  const log = new SimLog({ wallMs: () => 1_750_000_000_123 }, levelMin);
  return { log, lines: () => log.lines() };
});

Deno.test("denoLog: a terminal gets no JSON, and colour only when wanted", () => {
  const sink = new SlowSink(true);
  denoLog({ levelMin: "info", sink }).write("info", "node_started", { a: "b" });
  match(sink.text, /INFO/);
  match(sink.text, /node_started/);
  const isPlain = Deno.noColor || Deno.env.get("TERM") === "dumb";
  equal(sink.text.includes("\x1b["), !isPlain);
});

Deno.test("denoLog: a format that is asked for wins over the terminal", () => {
  const sink = new SlowSink(true);
  denoLog({ levelMin: "info", sink, format: "json" }).write("info", "a");
  equal(JSON.parse(sink.text).event, "a");
});
