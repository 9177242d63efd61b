// deno-lint-ignore-file no-console -- a bench prints.
/*
 * The load of `sealkv bench write --against etcd` through the npm client
 * etcd3, as a process of its own: closed loops of puts. Prints one JSON line
 * with every latency in ms and what the asking took.
 *
 *     deno run -A --config bench/etcd3/deno.json bench/etcd3/load.ts \
 *       HOST:PORT[,…] CLIENTS WARM_UP_MS MEASURE_MS VALUE_BYTES
 *
 * The package has a lock of its own, and is imported by a name that nothing
 * follows: else everyone who runs sealkv from source would download it.
 */
import { Buffer } from "node:buffer";
import process from "node:process";

/** As much of the package as this uses. */
interface Etcd3Package {
  readonly Etcd3: new (options: { readonly hosts: readonly string[] }) => {
    get(key: string): Promise<unknown>;
    put(key: string): { value(value: Uint8Array): Promise<unknown> };
  };
}

/** Connections: one makes grpc-js slower, more than four no faster. */
const CONNECTIONS = 4;
const KEYS = 1_000_000;

const [hosts = "", ...numbers] = Deno.args;
const [clients = 1, warmUpMs = 0, measureMs = 1_000, valueBytes = 256] = numbers
  .map(Number);
const packageName = "etcd3";
const { Etcd3 }: Etcd3Package = await import(packageName);
const pool = Array.from(
  { length: Math.min(CONNECTIONS, clients) },
  () => new Etcd3({ hosts: hosts.split(",") }),
);
const value = Buffer.from(crypto.getRandomValues(new Uint8Array(valueBytes)));
// Connections are made by the first call.
await Promise.all(pool.map((etcd) => etcd.get("bench")));

const latencies: number[] = [];
let answered = 0;
const cpuFrom = process.cpuUsage();
const from = performance.now() + warmUpMs;
const until = from + measureMs;
let last = from;

async function drive(client: number): Promise<void> {
  const etcd = pool[client % pool.length]!;
  for (;;) {
    const sent = performance.now();
    if (sent >= until) return;
    const number = Math.floor(Math.random() * KEYS);
    const key = `bench/user${String(number).padStart(7, "0")}`;
    await etcd.put(key).value(value);
    answered += 1;
    if (sent < from) continue;
    last = performance.now();
    latencies.push(Number((last - sent).toFixed(3)));
  }
}

await Promise.all(Array.from({ length: clients }, (_, i) => drive(i)));
const { user, system } = process.cpuUsage(cpuFrom);
console.log(JSON.stringify({
  answered,
  elapsedMs: last - from,
  clientCpuMs: (user + system) / 1000,
  latencies,
}));
Deno.exit(0);
