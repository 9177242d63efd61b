import assert from "node:assert/strict";
import {
  CHAIN_BEGUN,
  CHAIN_START,
  followChain,
  lineHash,
} from "../../../src/app/audit_chain.ts";

/** A chain of as many lines, the first of which begins it. */
function chainOf(count: number): string[] {
  const lines: string[] = [];
  let previous = CHAIN_START;
  for (let i = 0; i < count; i += 1) {
    const event = i === 0 ? { event: CHAIN_BEGUN } : { call: `${i}` };
    const line = JSON.stringify({ previous, ...event });
    lines.push(line);
    previous = lineHash(line);
  }
  return lines;
}

const CHAIN = chainOf(4);
const BROKEN = [...CHAIN.slice(0, 2), ...CHAIN.slice(3)];

const CASES: [name: string, lines: string[], isWhole: boolean, is: boolean][] =
  [
    ["no lines", [], true, false],
    ["the end of a long line", [], false, true],
    ["a whole chain", CHAIN, true, false],
    ["the end of a chain", CHAIN.slice(2), false, false],
    ["a chain without its beginning", CHAIN.slice(2), true, true],
    ["a line that is gone", BROKEN, true, true],
    ["a beginning after that", [...BROKEN, ...CHAIN], true, false],
    ["another line", [...CHAIN, "hello"], true, true],
    ["another line before a beginning", ["hello", ...CHAIN], true, false],
    [
      "a beginning that names something",
      [JSON.stringify({ previous: lineHash(""), event: CHAIN_BEGUN })],
      true,
      true,
    ],
  ];

for (const [name, lines, isWhole, is] of CASES) {
  Deno.test(`followChain() tells of ${name}`, () => {
    const { previous, isBroken } = followChain(lines, { isWhole });
    assert.equal(isBroken, is);
    const last = lines.at(-1);
    assert.equal(previous, last === undefined ? CHAIN_START : lineHash(last));
  });
}

Deno.test("followChain() is done with lines that are none at once", () => {
  const startedMs = performance.now();
  const lines = new Array<string>(1_000_000).fill("");
  assert.equal(followChain(lines, { isWhole: true }).isBroken, true);
  assert.ok(performance.now() - startedMs < 1_000);
});
