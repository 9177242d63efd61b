import type { Kv } from "../io/kv.ts";
import {
  BENCH_KEYS,
  BENCH_VALUE_BYTES,
  benchKeyText,
  type BenchPorts,
  type BenchTarget,
  KvTarget,
} from "./kv_target.ts";
import { type Client, runLoad } from "./load.ts";
import type { BenchReport, BenchRow } from "./report.ts";

export interface QuestionOptions {
  readonly ports: BenchPorts;
  readonly target: BenchTarget;
  /** A fresh local Deno KV file: the peer of the same run. */
  readonly local: Kv;
  readonly clients: readonly number[];
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly machine: string;
}

/** Records that reads choose from. */
const READ_RECORDS = 50_000;
const LOAD_RECORDS = 1_000_000;
const LOCAL_NAME = "Deno.openKv file";

/** How many durable atomic writes a second, and how long each takes? */
export async function measureWrites(
  options: QuestionOptions,
): Promise<BenchReport> {
  const target = await KvTarget.open(options.ports, options.target);
  const { local, ports } = options;
  const value = ports.random.bytes(BENCH_VALUE_BYTES);
  return await compare("write", options, {
    question: `set of ${BENCH_VALUE_BYTES} B`,
    sealkv: () => target.writer(),
    local: localClient(async () => {
      const key = localKey(ports.random.below(BENCH_KEYS));
      await local.commit({ sets: [{ key, value }], deletes: [] });
    }),
  });
}

/** How many strong reads of one record a second, and how long each takes? */
export async function measureReads(
  options: QuestionOptions,
): Promise<BenchReport> {
  const target = await KvTarget.open(options.ports, options.target);
  const { local, ports } = options;
  await target.load(READ_RECORDS);
  await loadLocal(local, ports.random.bytes(BENCH_VALUE_BYTES));
  return await compare("read", options, {
    question: `strong get of ${BENCH_VALUE_BYTES} B`,
    sealkv: () => target.reader(READ_RECORDS),
    local: localClient(async () => {
      await local.get([localKey(ports.random.below(READ_RECORDS))]);
    }),
  });
}

/** How long do LOAD_RECORDS records take, and what does the node hold then? */
export async function measureLoad(
  { ports, target, machine }: QuestionOptions,
): Promise<BenchReport> {
  const kv = await KvTarget.open(ports, target);
  const startedMs = ports.clock.monotonicMs();
  const latencies = await kv.load(LOAD_RECORDS);
  const elapsedMs = ports.clock.monotonicMs() - startedMs;
  return {
    bench: "load",
    machine,
    rows: [{
      question: `100 sets of ${BENCH_VALUE_BYTES} B in a write`,
      system: "sealkv",
      clients: 1,
      figures: latencies.figures(elapsedMs),
    }],
    notes: { "records loaded": LOAD_RECORDS, "seconds": elapsedMs / 1000 },
  };
}

interface Comparison {
  readonly question: string;
  readonly sealkv: () => Promise<Client>;
  readonly local: () => Promise<Client>;
}

/** Runs both systems in turn at each number of clients. */
async function compare(
  bench: string,
  options: QuestionOptions,
  comparison: Comparison,
): Promise<BenchReport> {
  const { clock } = options.ports;
  const { warmUpMs, measureMs, machine } = options;
  const rows: BenchRow[] = [];
  const notes: Record<string, number> = {};
  for (const clients of options.clients) {
    const load = { clock, clients, warmUpMs, measureMs };
    const { question, sealkv, local } = comparison;
    const ours = await runLoad({ ...load, connect: sealkv });
    const theirs = await runLoad({ ...load, connect: local });
    rows.push({ question, system: "sealkv", clients, figures: ours });
    rows.push({ question, system: LOCAL_NAME, clients, figures: theirs });
    notes[`ratio to ${LOCAL_NAME} at ${clients}`] = ours.perSecond /
      theirs.perSecond;
  }
  return { bench, machine, rows, notes };
}

function localClient(send: () => Promise<void>): () => Promise<Client> {
  return () => Promise.resolve({ send, close: () => {} });
}

function localKey(number: number): readonly string[] {
  return ["bench", benchKeyText(number)];
}

async function loadLocal(local: Kv, value: Uint8Array<ArrayBuffer>) {
  for (let from = 0; from < READ_RECORDS; from += 500) {
    const sets = Array.from({ length: 500 }, (_, i) => ({
      key: localKey(from + i),
      value,
    }));
    await local.commit({ sets, deletes: [] });
  }
}
