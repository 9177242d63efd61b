import { NodeError } from "../../base/error.ts";
import { type Bytes, concatBytes, equalBytes, utf8 } from "../../base/bytes.ts";
import type { Clock } from "../../io/clock.ts";
import type { HttpClientPort } from "../../io/http.ts";
import { encodeKvKey } from "../../io/kv_key.ts";
import { KvConnectClient } from "../../kvconnect/client.ts";

export interface WriterCounts {
  /** Writes that were answered. */
  readonly count: number;
  /** Writes and reads that no member answered in time. */
  readonly failed: number;
  readonly readBack: number;
  /** Of those, with another value than was written. */
  readonly wrong: number;
}

export interface WriterOptions {
  readonly urls: readonly string[];
  readonly accessToken: string;
  readonly http: Pick<HttpClientPort, "fetch">;
  readonly clock: Clock;
  readonly canary: string;
}

/** Records that are written first, then one after the other again. */
export const DEMO_RECORDS = 1_000;
export const WRITES_A_SECOND = 20;
const BATCH_RECORDS = 100;
/** A client of a cluster goes on to another member, and on, for so long. */
const PATIENCE_MS = 15_000;
const ROUND_PAUSE_MS = 250;
/** Source: kvconnect.md: the encoding of V8, and its header of a text. */
const V8 = 1;
const V8_ONE_BYTE_TEXT = [0xff, 0x0f, 0x22] as const;
const NUMBER_DIGITS = 6;

/** A program that writes visible values all the time, and reads them back. */
export class DemoWriter {
  readonly #clock: Clock;
  readonly #canary: string;
  readonly #clients: readonly KvConnectClient[];
  readonly #counts = { count: 0, failed: 0, readBack: 0, wrong: 0 };
  /** What each record has, as far as it is known. */
  readonly #written = new Map<number, Bytes>();
  #turn = 0;
  #isStopped = false;
  #end: Promise<void> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.#clock = options.clock;
    this.#canary = options.canary;
    this.#clients = options.urls.map((url) =>
      new KvConnectClient({ ...options, url })
    );
  }

  get counts(): WriterCounts {
    return { ...this.#counts };
  }

  /** Writes all records once, then goes on until `stop`. */
  async start(): Promise<void> {
    for (let at = 0; at < DEMO_RECORDS; at += BATCH_RECORDS) {
      await this.#write(
        Array.from({ length: BATCH_RECORDS }, (_, i) => at + i),
      );
    }
    this.#end = this.#run();
  }

  /** Resolves when the last answer is in. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#end;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isStopped; turn += 1) {
      const beganMs = this.#clock.monotonicMs();
      await this.#write([turn % DEMO_RECORDS]);
      // The record whose turn is furthest away.
      await this.#readBack((turn + DEMO_RECORDS / 2) % DEMO_RECORDS);
      const tookMs = this.#clock.monotonicMs() - beganMs;
      await this.#pause(Math.max(0, 1_000 / WRITES_A_SECOND - tookMs));
    }
  }

  async #write(records: readonly number[]): Promise<void> {
    const turn = this.#turn;
    this.#turn += 1;
    const changes = records.map((record) => ({
      kind: "set" as const,
      key: keyOf(record),
      value: { data: this.#valueOf(record, turn), encoding: V8 } as const,
      expireAtMs: 0,
    }));
    // To set the same value twice does no harm.
    const reply = await this.#ask((client) =>
      client.atomicWrite({ checks: [], changes })
    );
    if (reply !== null) this.#counts.count += 1;
    for (const record of records) {
      // An unanswered write may have been made: nothing is known then.
      if (reply === null) this.#written.delete(record);
      else this.#written.set(record, this.#valueOf(record, turn));
    }
  }

  async #readBack(record: number): Promise<void> {
    const key = keyOf(record);
    const end = concatBytes(key, new Uint8Array(1));
    const range = { start: key, end, limit: 1, reverse: false };
    const ranges = await this.#ask((client) => client.snapshotRead([range]));
    if (ranges === null) return;
    const written = this.#written.get(record);
    if (written === undefined) return;
    const read = ranges[0]?.[0]?.value.data;
    this.#counts.readBack += 1;
    if (read === undefined || !equalBytes(read, written)) {
      this.#counts.wrong += 1;
    }
  }

  /** Asks one member after the other; `null` when none answers in time. */
  async #ask<T>(
    ask: (client: KvConnectClient) => Promise<T>,
  ): Promise<T | null> {
    const untilMs = this.#clock.monotonicMs() + PATIENCE_MS;
    for (let at = this.#turn;; at += 1) {
      const client = this.#clients[at % this.#clients.length];
      try {
        if (client !== undefined) return await ask(client);
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
      }
      const isRound = (at - this.#turn + 1) % this.#clients.length === 0;
      if (!isRound) continue;
      if (this.#isStopped) return null;
      if (this.#clock.monotonicMs() > untilMs) {
        this.#counts.failed += 1;
        return null;
      }
      await this.#pause(ROUND_PAUSE_MS);
    }
  }

  #valueOf(record: number, turn: number): Bytes {
    const text = `visible ${this.#canary}, record ${digits(record)} as of ` +
      `write ${digits(turn)}`;
    // Its length takes one byte below 128.
    return concatBytes(
      new Uint8Array([...V8_ONE_BYTE_TEXT, text.length]),
      utf8(text),
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => void this.#clock.after(ms, done));
  }
}

/** `["demo", record]` */
function keyOf(record: number): Bytes {
  return encodeKvKey(["demo", record]);
}

function digits(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, "0");
}
