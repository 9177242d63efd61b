import assert from "node:assert/strict";
import { tableOf } from "../../../src/bench/report.ts";

Deno.test("tableOf() lines up names left and numbers right", () => {
  const figures = {
    count: 9,
    perSecond: 12_345.6,
    p50Ms: 1,
    p99Ms: 2.345,
    p999Ms: 30,
    maxMs: 40,
  };
  const table = tableOf({
    bench: "write",
    machine: "2 cores",
    rows: [
      { question: "set 256 B", system: "sealkv", clients: 64, figures },
      {
        question: "set 256 B",
        system: "Deno.openKv file",
        clients: 1,
        figures,
      },
    ],
    notes: { ratio: 2.4567 },
  });
  assert.equal(
    table,
    `write on 2 cores

question   system            clients  ops/s   p50   p99   p999
set 256 B  sealkv                 64  12346  1.00  2.35  30.00
set 256 B  Deno.openKv file        1  12346  1.00  2.35  30.00

ratio: 2.46`,
  );
});
