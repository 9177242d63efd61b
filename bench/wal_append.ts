// deno-lint-ignore-file no-console -- a bench prints.
/*
 * How many entries of 300 bytes a second does the log make durable, on the
 * real disk, when 1, 16 or 64 callers each wait for theirs? Beside it: the
 * latency of one `writeAndSync` of 16 KiB. Prints a table, then JSON.
 *
 *     deno run -A bench/wal_append.ts [directory]
 */
import { openDenoDisk } from "../src/io/deno/disk.ts";
import type { Disk } from "../src/io/disk.ts";
import { Wal } from "../src/wal/wal.ts";

const ENTRY_BYTES = 300;
const CALLERS = [1, 16, 64];
const RUN_MS = 3_000;
const WRITE_BYTES = 16 * 2 ** 10;
const WRITES = 2_000;

interface Row {
  readonly question: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSync: number;
}

function rowOf(
  question: string,
  latencies: number[],
  tookMs: number,
  syncs: number,
): Row {
  latencies.sort((a, b) => a - b);
  const at = (part: number) =>
    latencies[Math.floor(latencies.length * part)] ?? 0;
  return {
    question,
    perSecond: Math.round(latencies.length / tookMs * 1000),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    perSync: latencies.length / syncs,
  };
}

async function benchWrites(disk: Disk, dir: string): Promise<Row> {
  const file = await disk.open(`${dir}/writes`, "create");
  const zeros = new Uint8Array(WRITE_BYTES);
  for (let i = 0; i < WRITES; i += 1) {
    await file.writeAt(i * WRITE_BYTES, zeros);
  }
  await file.sync();
  const bytes = new Uint8Array(WRITE_BYTES).fill(7);
  const latencies: number[] = [];
  const start = performance.now();
  for (let i = 0; i < WRITES; i += 1) {
    const before = performance.now();
    await file.writeAndSync(i * WRITE_BYTES, bytes);
    latencies.push(performance.now() - before);
  }
  const took = performance.now() - start;
  await file.close();
  return rowOf("writeAndSync of 16 KiB", latencies, took, WRITES);
}

async function benchAppends(
  disk: Disk,
  dir: string,
  callers: number,
): Promise<Row> {
  const confState = {
    voters: [1],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const wal = await Wal.create({
    dir: `${dir}/raft-${callers}`,
    disk,
    random: {
      bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      below: () => 0,
    },
    log: { write: () => {} },
    nodeName: "n1",
  }, { metadata: { confState, index: 1, term: 1 } });
  const data = new Uint8Array(ENTRY_BYTES).fill(5);
  const latencies: number[] = [];
  let index = 1;
  const start = performance.now();
  const until = start + RUN_MS;
  const caller = async () => {
    while (performance.now() < until) {
      const before = performance.now();
      index += 1;
      const entry = { type: 0, term: 1, index, data } as const;
      wal.release(index - 1000);
      await wal.append({ entries: [entry], mustSync: true });
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const took = performance.now() - start;
  const { syncs } = wal.counters;
  await wal.close();
  return rowOf(`append, ${callers} callers`, latencies, took, syncs);
}

const parent = Deno.args[0];
const dir = await Deno.makeTempDir({
  prefix: "sealkv-bench-",
  ...(parent === undefined ? {} : { dir: parent }),
});
const disk = openDenoDisk();
try {
  const rows = [await benchWrites(disk, dir)];
  for (const callers of CALLERS) {
    rows.push(await benchAppends(disk, dir, callers));
  }
  const cell = (value: string | number) => String(value).padStart(12);
  console.log(
    "question".padEnd(26) +
      ["per second", "p50 ms", "p99 ms", "per sync"].map(cell).join(""),
  );
  for (const { question, perSecond, p50Ms, p99Ms, perSync } of rows) {
    const numbers = [p50Ms.toFixed(3), p99Ms.toFixed(3), perSync.toFixed(1)];
    console.log(
      question.padEnd(26) + [perSecond, ...numbers].map(cell).join(""),
    );
  }
  console.log(
    JSON.stringify({ bench: "wal_append", deno: Deno.version, rows }),
  );
} finally {
  await disk.close();
  await Deno.remove(dir, { recursive: true });
}
