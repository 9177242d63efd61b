import v8 from "node:v8";
import {
  type Bytes,
  EMPTY_BYTES,
  equalBytes,
  toHex,
} from "../../../src/base/bytes.ts";
import type { Decoder, Verdict } from "./decoder.ts";
import { inputFor } from "./inputs.ts";
import { Rng, seedOf } from "./rng.ts";

/** Errors with their stacks, and how coarsely the heap is measured. */
const HEAP_BYTES = 2 * 2 ** 20;
/** Garbage of one decode among several in flight. */
const HEAP_BYTES_EACH = 256 * 2 ** 10;
/** One decode may take so long, and longer for each KiB: on a busy machine. */
const SLOW_MS = 100;
const SLOW_MS_PER_KIB = 4;
/** Others use the machine: slow is what is slow each time. */
const SLOW_TRIES = 8;
const IN_FLIGHT = 32;
/** An input that long is decoded alone. */
const LONG_BYTES = 16_384;
/** Of a longer input a message has the beginning: seed and number make it. */
const HEX_BYTES_MAX = 2_048;

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  /** Number of the first input. */
  readonly from?: number;
}

export interface FuzzResult {
  readonly name: string;
  readonly inputs: number;
  readonly taken: number;
  readonly refused: number;
  readonly seconds: number;
  /** Largest growth of the heap by one decode, or by one batch in flight. */
  readonly heapBytes: number;
  readonly bytesLongest: number;
  readonly slowestMs: number;
}

/** An input that a decoder must not do this with. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";

  constructor(
    decoder: Decoder,
    { seed, at, input, finding }: {
      readonly seed: number;
      readonly at: number;
      readonly input: Bytes;
      readonly finding: string;
    },
    options?: ErrorOptions,
  ) {
    const hex = input.length > HEX_BYTES_MAX
      ? `${toHex(input.subarray(0, HEX_BYTES_MAX))}…`
      : toHex(input);
    super(
      `${decoder.name}: ${finding}\n` +
        `  again: deno task fuzz --only "${decoder.name}" --seed ${seed} --from ${at} --runs 1\n` +
        `  input: ${input.length} bytes ${hex}`,
      options,
    );
  }
}

interface Given {
  readonly at: number;
  readonly input: Bytes;
}

/**
 * Feeds `decoder` with inputs. Errors of more than one have no stacks, which
 * are most of what a refusal costs: a failure that is run again alone has one.
 *
 * @throws {FuzzFailure} At the first input that it neither takes nor refuses
 * by name, takes in another than its one form, or that costs too much.
 */
export async function fuzz(
  decoder: Decoder,
  options: FuzzOptions,
): Promise<FuzzResult> {
  const run = new Run(decoder, options.seed);
  const { stackTraceLimit } = Error;
  const startedMs = performance.now();
  if (options.runs > 1) Error.stackTraceLimit = 0;
  try {
    await feed(run, options);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  return { ...run.counts(), inputs: options.runs, seconds };
}

async function feed(
  run: Run,
  { from = 0, runs }: FuzzOptions,
): Promise<void> {
  let waiting: Given[] = [];
  for (let at = from; at < from + runs; at += 1) {
    const given = { at, input: run.input(at) };
    if (run.isAsync && given.input.length < LONG_BYTES) {
      waiting.push(given);
      if (waiting.length < IN_FLIGHT) continue;
      await run.together(waiting);
      waiting = [];
    } else {
      const pending = run.alone(given);
      if (pending !== undefined) await pending;
    }
  }
  if (waiting.length > 0) await run.together(waiting);
}

class Run {
  isAsync = false;
  readonly #decoder: Decoder;
  readonly #seed: number;
  readonly #nameSeed: number;
  #taken = 0;
  #refused = 0;
  #heapBytes = 0;
  #bytesLongest = 0;
  #slowestMs = 0;

  constructor(decoder: Decoder, seed: number) {
    this.#decoder = decoder;
    this.#seed = seed;
    this.#nameSeed = seedOf(decoder.name);
  }

  counts(): Omit<FuzzResult, "inputs" | "seconds"> {
    return {
      name: this.#decoder.name,
      taken: this.#taken,
      refused: this.#refused,
      heapBytes: this.#heapBytes,
      bytesLongest: this.#bytesLongest,
      slowestMs: this.#slowestMs,
    };
  }

  input(at: number): Bytes {
    const rng = new Rng(this.#seed, this.#nameSeed, at);
    const input = inputFor(this.#decoder, at, rng);
    this.#bytesLongest = Math.max(this.#bytesLongest, input.length);
    return input;
  }

  /** Decodes one input; asynchronous decoders show themselves here. */
  alone(given: Given): Promise<void> | undefined {
    const { input } = given;
    const heap = heapBytes();
    const startedMs = performance.now();
    const answer = this.#answer(input);
    if (answer instanceof Promise) {
      this.isAsync = true;
      return answer.then(async (outcome) => {
        this.#note(given, outcome);
        await this.#costs([given], heap, startedMs);
      });
    }
    this.#note(given, answer);
    return this.#costs([given], heap, startedMs);
  }

  async together(batch: readonly Given[]): Promise<void> {
    const heap = heapBytes();
    const startedMs = performance.now();
    const answers = await Promise.all(
      batch.map(({ input }) => this.#answer(input)),
    );
    answers.forEach((answer, i) => this.#note(batch[i] as Given, answer));
    await this.#costs(batch, heap, startedMs);
  }

  #answer(input: Bytes): Outcome | Promise<Outcome> {
    try {
      const verdict = this.#decoder.decode(input);
      if (!(verdict instanceof Promise)) return { verdict };
      return verdict.then(
        (verdict) => ({ verdict }),
        (error) => ({ error }),
      );
    } catch (error) {
      return { error };
    }
  }

  #note(given: Given, outcome: Outcome): void {
    if ("error" in outcome) {
      const { error } = outcome;
      if (!this.#decoder.refuses(error)) {
        const cause = error instanceof Error ? error.stack : String(error);
        throw this.#failure(given, `it throws ${cause}`, error);
      }
      this.#refused += 1;
    } else if (outcome.verdict === null) this.#refused += 1;
    else {
      const { verdict } = outcome;
      if (verdict !== "taken" && !equalBytes(verdict, given.input)) {
        const form = toHex(verdict.subarray(0, HEX_BYTES_MAX));
        throw this.#failure(given, `its value is written as ${form}`);
      }
      this.#taken += 1;
    }
  }

  /** Checks what `batch` cost; a promise when some of it is to be timed again. */
  #costs(
    batch: readonly Given[],
    heapBefore: number,
    startedMs: number,
  ): Promise<void> | undefined {
    const ms = performance.now() - startedMs;
    const grown = heapBytes() - heapBefore;
    let length = 0;
    for (const { input } of batch) length += input.length;
    const [given] = batch as readonly [Given];
    this.#heapBytes = Math.max(this.#heapBytes, grown);
    const { heapEach = HEAP_BYTES_EACH, heapPerByte } = this.#decoder;
    const heapMax = HEAP_BYTES + batch.length * heapEach + length * heapPerByte;
    if (grown > heapMax) {
      const whom = batch.length > 1 ? ` (${batch.length} in flight)` : "";
      throw this.#failure(
        given,
        `the heap grows by ${grown} for ${length} bytes${whom}, at most ${heapMax}`,
      );
    }
    if (batch.length === 1) this.#slowestMs = Math.max(this.#slowestMs, ms);
    return ms > slowMs(length) ? this.#timeAgain(batch) : undefined;
  }

  async #timeAgain(batch: readonly Given[]): Promise<void> {
    for (const given of batch) {
      const { length } = given.input;
      let best = Infinity;
      for (let tries = 0; tries < SLOW_TRIES; tries += 1) {
        const startedMs = performance.now();
        await this.#answer(given.input);
        best = Math.min(best, performance.now() - startedMs);
        if (best <= slowMs(length)) break;
      }
      if (best > slowMs(length)) {
        throw this.#failure(given, `it takes ${best.toFixed()} ms`);
      }
    }
  }

  #failure(given: Given, finding: string, cause?: unknown): FuzzFailure {
    const found = { ...given, seed: this.#seed, finding };
    return new FuzzFailure(this.#decoder, found, { cause });
  }
}

type Outcome = { readonly verdict: Verdict } | { readonly error: unknown };

function slowMs(length: number): number {
  return SLOW_MS + SLOW_MS_PER_KIB * length / 1_024;
}

/** Used heap with its array buffers; garbage counts until it is collected. */
function heapBytes(): number {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
}

/** Once, so that the first input is not charged for the decoder's own code. */
export async function warmUp(decoder: Decoder): Promise<void> {
  for (const input of [EMPTY_BYTES, ...decoder.valid]) {
    try {
      await decoder.decode(input.slice());
    } catch {
      // Judged when it comes as an input.
    }
  }
}
