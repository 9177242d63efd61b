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

Deno.test("tableOf() adds costs, comparisons, samples and remarks when there are any", () => {
  const figures = {
    ...{ count: 9, perSecond: 100, p50Ms: 1 },
    ...{ p99Ms: 2, p999Ms: 3, maxMs: 4 },
  };
  const table = tableOf({
    bench: "write",
    machine: "2 cores",
    rows: [{
      ...{ question: "set", system: "etcd3", clients: 64, figures },
      costs: {
        ...{ syncs: 0.25, logBytes: 600.4 },
        ...{ peerBytes: null, cpuMicroseconds: 99.6 },
      },
      clientCores: 0.5,
    }],
    comparisons: [{
      ...{ ours: "sealkv", theirs: "etcd3", clients: 64 },
      ...{ perSecond: 3, perSecondOfRounds: [2.5, 3, 3.25], p99: 0.5 },
    }],
    notes: { "resident MiB": 100.128 },
    samples: { "sealkv, ms of rounds": [600.4, 700] },
    remarks: ["etcd is idle meanwhile"],
  });
  assert.equal(
    table,
    `write on 2 cores

question  system  clients  ops/s   p50   p99  p999
set       etcd3        64    100  1.00  2.00  3.00

per op, all members  clients  syncs  log B  peer B  CPU us  client cores
etcd3                     64  0.250    600       -     100          0.50

ours / theirs   clients  ops/s   p99  ops/s of rounds
sealkv / etcd3       64   3.00  0.50   2.50 3.00 3.25

resident MiB: 100.13

sealkv, ms of rounds: 600 700

etcd is idle meanwhile`,
  );
});
