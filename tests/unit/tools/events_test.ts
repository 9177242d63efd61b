/*
 * Goal: docs/events.md names every event that a node writes, and no other.
 * Method: read the arguments of every `log.write(` of src/; an event is a
 * literal, so that operators and this test can find it.
 */
import { deepEqual, ok } from "node:assert/strict";
import { LOG_LEVELS } from "../../../src/io/log.ts";
import { readTree } from "../../../tools/tidy/read_tree.ts";

interface Call {
  readonly path: string;
  readonly levels: readonly string[];
  readonly events: readonly string[];
}

/** Methods that write the event they are given, with levels of their own. */
const PASSED_ON: readonly {
  readonly call: RegExp;
  readonly levelOf: (event: string) => string;
}[] = [
  { call: /\bstrangers\.write\(/g, levelOf: () => "warn" },
  { call: /this\.#event\(/g, levelOf: () => "warn" },
  {
    call: /this\.#tell\(/g,
    levelOf: (event) => event === "checkpoint_failed" ? "warn" : "info",
  },
];

const tree = readTree();
const calls = [...tree.sources.values()]
  .filter(({ path }) => path.startsWith("src/"))
  .flatMap(({ path, text }) => callsOf(path, text));

Deno.test("every event is a snake_case literal with a level", () => {
  const levels: readonly string[] = LOG_LEVELS;
  const odd = calls.filter((call) =>
    call.events.length === 0 || call.levels.length === 0 ||
    !call.events.every((event) => /^[a-z]+(?:_[a-z]+)+$/.test(event)) ||
    !call.levels.every((level) => levels.includes(level))
  );
  deepEqual(odd, []);
  ok(calls.length > 10, `only ${calls.length} calls: the pattern is stale`);
});

Deno.test("docs/events.md lists every event with its levels, sorted", () => {
  const page = tree.files.get("docs/events.md") ?? "";
  const listed = [...page.matchAll(/^\| `(\w+)` +\| (.+?) +\|/gm)]
    .map(([, event, level]) => `${event}: ${level}`);
  const levels = new Map<string, Set<string>>();
  for (const call of calls) {
    for (const event of call.events) {
      const known = levels.get(event) ?? new Set();
      for (const level of call.levels) known.add(level);
      levels.set(event, known);
    }
  }
  const written = [...levels].map(([event, of]) =>
    `${event}: ${LOG_LEVELS.filter((level) => of.has(level)).join(", ")}`
  );
  deepEqual(listed, written.toSorted());
});

Deno.test("callsOf() reads conditions, and sees what is no literal", () => {
  deepEqual(
    callsOf("a.ts", 'log.write("info", a(b, c) ? "x_y" : "z_w", { d: "e" });'),
    [{ path: "a.ts", levels: ["info"], events: ["x_y", "z_w"] }],
  );
  deepEqual(callsOf("a.ts", 'this.#log.write(\n"warn",\nevent,\n);'), [
    { path: "a.ts", levels: ["warn"], events: [] },
  ]);
});

function callsOf(path: string, text: string): Call[] {
  const direct = [...text.matchAll(/\blog\.write\(/g)].map(
    ({ 0: call, index }): Call | null => {
      const [level = "", event = ""] = argumentsOf(
        text.slice(index + call.length),
      );
      // What was handed in: its callers are looked at instead.
      if (event.trim() === "event" && isPassedOn(path)) return null;
      return { path, levels: literalsOf(level), events: literalsOf(event) };
    },
  );
  const passed = PASSED_ON.flatMap(({ call, levelOf }) =>
    [...text.matchAll(call)].flatMap(({ 0: found, index }): Call[] => {
      const [event = ""] = argumentsOf(text.slice(index + found.length));
      if (event.trim() === "event") return [];
      return literalsOf(event).map((name) => ({
        path,
        levels: [levelOf(name)],
        events: [name],
      }));
    })
  );
  return [...direct.filter((call) => call !== null), ...passed];
}

/** Files whose `log.write` is fed by the methods above. */
function isPassedOn(path: string): boolean {
  return /^src\/(?:transport\/stranger_log|node\/checkpoint\/(?:intake|transfer))\.ts$/
    .test(path);
}

/** The texts between the commas of a call, up to its closing bracket. */
function argumentsOf(text: string): string[] {
  const found = [""];
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[^]/g)) {
    if (token === ")" && depth === 0) break;
    if ("([{".includes(token)) depth += 1;
    if (")]}".includes(token)) depth -= 1;
    if (token === "," && depth === 0) found.push("");
    else found.push(found.pop() + token);
  }
  return found;
}

/** Of a condition, what it chooses from. */
function literalsOf(text: string): string[] {
  const chosen = text.slice(text.indexOf("?") + 1);
  return [...chosen.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) =>
    word
  );
}
