import { equal } from "node:assert/strict";
import { frameOf, normalise } from "./normalise.ts";

const CASES: readonly (readonly [string, string, string])[] = [
  ["text without", "n1  leader  ready", "n1  leader  ready"],
  ["a term in a sentence", "leader n1, term 12", "leader n1, term T"],
  [
    "a cell keeps its width",
    "│ applied 1234 on n1 │ x │",
    "│ applied N on n1    │ x │",
  ],
  [
    "a narrower number takes as much",
    "│ applied 7 on n1    │ x │",
    "│ applied N on n1    │ x │",
  ],
  [
    "columns after it stay",
    "n1  127.1.22.133:4514   leader",
    "n1  ADDRESS             leader",
  ],
  ["a column to the right", "n1     9 ms", "n1      AGE"],
  ["all of it", "n1  1200 ms", "n1      AGE"],
  [
    "columns of numbers, by their heads",
    "name  applied  phase\nn1        812      0\nn2          9      0\n\n7",
    "name  applied  phase\nn1          #      0\nn2          #      0\n\n7",
  ],
  [
    "words to the left",
    "n1  127.1.22.133:4512  127.1.22.133:4513\nn2  127.1.2.1:4512",
    "n1  ADDRESS            ADDRESS\nn2  ADDRESS",
  ],
  ["a value beside its label", "│ age   9 s  │", "│ age   AGE  │"],
  ["whatever its width", "│ age   29 s │", "│ age   AGE  │"],
  ["a key", "key 2843215009 is", "key KEY is"],
  ["who", "by root@vm-1 at", "by WHO at"],
  ["a title in a border", "╭─ 0.3 s old ───╮", "╭─ AGE old ─────╮"],
  ["an ASCII border", "+- 12.3 s ----+", "+- AGE -------+"],
  ["minutes", "+- 12 min ----+", "+- AGE -------+"],
  ["a moment", "at 2026-11-26T08:45:14Z by ana", "at TIME by ana"],
  ["a hash", "plan 5c1e90ab by ana", "plan HASH by ana"],
  ["words are no hashes", "deadbeef defaced", "deadbeef defaced"],
  ["a file", "in /tmp/sealkv-a1/x.sh", "in PATH"],
  ["a rate", "1.5 MiB/s of 2 MiB", "RATE of SIZE"],
];

for (const [name, screen, expected] of CASES) {
  Deno.test(`normalise: ${name}`, () => {
    equal(normalise(screen), `${expected}\n`);
    equal(normalise(expected), `${expected}\n`, "nothing more to replace");
  });
}

Deno.test("frameOf() leaves out who leads a demo, and its files", () => {
  const screen = `leader n3
│ n1    follower  yes │
│ n3    leader    yes │
│ canary-01234567: 82 writes, none  │
│ n1 in 2 of 10 files: store, raft… │
│ READY: nothing blocks it, 1 warning   │
┌─ 2 Storage ────────── 11 below, PgDn ─┐
`;
  const frame = `leader NAME
│ n1    ROLE      yes │
│ n3    ROLE      yes │
│ canary-HASH: N writes, none       │
│ n1 in N of N files                │
│ READY: nothing blocks it, N warnings  │
┌─ 2 Storage ─────────── N below, PgDn ─┐
`;
  equal(frameOf("demo/opened", screen), frame);
  equal(frameOf("rollout/overview", screen).split("\n")[0], "leader n3");
});
