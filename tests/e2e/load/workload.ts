/*
 * Callers that set, get, check-and-set and count on a few keys, whatever
 * happens to the members, and note what they did (history.ts). The same for
 * Deno's own client and for npm's @deno/kv on Node.
 */
import {
  type ClientKind,
  encodeItem,
  type HistoryItem,
  type Operation,
  type Result,
} from "../history.ts";
import { machineMs } from "../machine_clock.ts";

/** What a load program is told, as JSON in its first argument. */
export interface LoadOrder {
  /** Name → URL of the members that clients are bound to. */
  readonly urls: Readonly<Record<string, string>>;
  /** Callers at each of them. */
  readonly callers: number;
  /** First part of every key. */
  readonly run: string;
  readonly keys: number;
  /** Between two calls of one caller. */
  readonly pauseMs: number;
  /**
   * Between two reads at each member that do not wait for each other: those
   * that a halted member does not answer pile up. 0 for none.
   */
  readonly restlessMs: number;
}

/** What a program needs of its runtime. */
export interface LoadRuntime {
  readonly kind: ClientKind;
  open(url: string): Promise<Deno.Kv>;
  /** Resolves when the parent closed standard input. */
  readonly stopped: Promise<void>;
  print(line: string): void;
}

/** How long callers may finish what they are at, once stopped. */
const FINISH_MS_MAX = 3_000;
const ERROR_CHARS_MAX = 200;
/** A caller whose call failed does not ask again at once. */
const TROUBLE_PAUSE_MS = 100;
/** Of Node's fetch: there was no connection. */
const NOT_SENT = /connect (?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)/;
/** Values are bytes: Node's V8 does not read all that Deno's has written. */
const encoder = new TextEncoder();

/** Runs until stopped; every call is printed, the unanswered ones at the end. */
export async function runLoad(
  order: LoadOrder,
  runtime: LoadRuntime,
): Promise<void> {
  let isStopping = false;
  const callers: Caller[] = [];
  const kvs = new Map<string, Deno.Kv>();
  const isEnded = () => isStopping;
  for (const [name, url] of Object.entries(order.urls)) {
    const kv = await runtime.open(url);
    kvs.set(name, kv);
    for (let i = 0; i < order.callers; i += 1) {
      const client = `${runtime.kind}@${name}#${i}`;
      callers.push(new Caller(client, kv, order, runtime));
    }
  }
  const running = Promise.all(callers.map((caller) => caller.run(isEnded)));
  if (order.restlessMs > 0) {
    for (const [name, kv] of kvs) {
      const make = (i: number) => {
        const client = `${runtime.kind}@${name}#restless${i}`;
        const caller = new Caller(client, kv, order, runtime);
        callers.push(caller);
        return caller;
      };
      void readOn(make, order.restlessMs, isEnded);
    }
  }
  await Promise.race([runtime.stopped, running]);
  isStopping = true;
  await Promise.race([running, after(FINISH_MS_MAX)]);
  for (const caller of callers) caller.printPending();
}

/** Starts a read every so often, each as a caller of its own. */
async function readOn(
  make: (count: number) => Caller,
  everyMs: number,
  isEnded: () => boolean,
): Promise<void> {
  for (let count = 0; !isEnded(); count += 1) {
    void make(count).readOnce();
    await after(everyMs);
  }
}

/** Does one call after the other. */
class Caller {
  readonly #client: string;
  readonly #kv: Deno.Kv;
  readonly #order: LoadOrder;
  readonly #print: LoadRuntime["print"];
  #count = 0;
  #pending: { readonly op: Operation; readonly invokeMs: number } | null = null;

  constructor(
    client: string,
    kv: Deno.Kv,
    order: LoadOrder,
    { print }: LoadRuntime,
  ) {
    this.#client = client;
    this.#kv = kv;
    this.#order = order;
    this.#print = print;
  }

  async run(isEnded: () => boolean): Promise<void> {
    while (!isEnded()) {
      const isFine = await this.#turn();
      await after(isFine ? this.#order.pauseMs : TROUBLE_PAUSE_MS);
    }
  }

  async readOnce(): Promise<void> {
    await this.#call({ kind: "get", key: this.#anyKey() });
  }

  printPending(): void {
    if (this.#pending === null) return;
    this.#note(null, { kind: "unknown", error: "no answer until the end" });
  }

  /** False when the last call failed. */
  async #turn(): Promise<boolean> {
    const key = this.#anyKey();
    const value = `${this.#client}:${this.#count += 1}`;
    const dice = Math.random();
    let result: Result;
    if (dice < 0.35) result = await this.#call({ kind: "set", key, value });
    else if (dice < 0.55) result = await this.#call({ kind: "tally", value });
    else {
      result = await this.#call({ kind: "get", key });
      if (dice > 0.75 && result.kind === "read") {
        const expected = result.versionstamp;
        result = await this.#call({ kind: "cas", key, expected, value });
      }
    }
    return result.kind !== "failed" && result.kind !== "unknown";
  }

  #anyKey(): string {
    return `k${Math.floor(Math.random() * this.#order.keys)}`;
  }

  async #call(op: Operation): Promise<Result> {
    this.#pending = { op, invokeMs: machineMs() };
    let result: Result;
    try {
      result = await this.#carryOut(op);
    } catch (error) {
      const text = error instanceof Error ? causes(error) : String(error);
      const kind = NOT_SENT.test(text) ? "failed" : "unknown";
      result = { kind, error: text.slice(0, ERROR_CHARS_MAX) };
    }
    this.#note(machineMs(), result);
    return result;
  }

  async #carryOut(op: Operation): Promise<Result> {
    const { run } = this.#order;
    switch (op.kind) {
      case "get": {
        return read(await this.#kv.get<Uint8Array>([run, "key", op.key]));
      }
      case "set": {
        const key = [run, "key", op.key];
        const bytes = encoder.encode(op.value);
        const { versionstamp } = await this.#kv.set(key, bytes);
        return { kind: "written", versionstamp };
      }
      case "cas": {
        const key = [run, "key", op.key];
        return written(
          await this.#kv.atomic()
            .check({ key, versionstamp: op.expected })
            .set(key, encoder.encode(op.value))
            .commit(),
        );
      }
      case "tally": {
        const key = [run, "tally", op.value];
        return written(
          await this.#kv.atomic()
            .check({ key, versionstamp: null })
            .set(key, encoder.encode(op.value))
            .sum([run, "sum"], 1n)
            .commit(),
        );
      }
    }
  }

  #note(returnMs: number | null, result: Result): void {
    if (this.#pending === null) return;
    const { op, invokeMs } = this.#pending;
    this.#pending = null;
    const item: HistoryItem = {
      client: this.#client,
      op,
      invokeMs,
      returnMs,
      result,
    };
    this.#print(encodeItem(item));
  }
}

/** What a read of a value of these programs saw. */
export function read(entry: Deno.KvEntryMaybe<Uint8Array>): Result {
  const { value, versionstamp } = entry;
  const text = value === null ? null : new TextDecoder().decode(value);
  return { kind: "read", value: text, versionstamp };
}

function written(reply: Deno.KvCommitResult | Deno.KvCommitError): Result {
  return reply.ok
    ? { kind: "written", versionstamp: reply.versionstamp }
    : { kind: "refused" };
}

function causes(error: Error): string {
  const { cause } = error;
  const own = `${error.name}: ${error.message}`;
  return cause instanceof Error ? `${own}: ${causes(cause)}` : own;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
