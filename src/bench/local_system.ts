import type { Bytes } from "../base/bytes.ts";
import type { Kv } from "../io/kv.ts";
import type { Random } from "../io/random.ts";
import { BENCH_KEYS, benchKeyText } from "./kv_target.ts";
import { type Contender, loadHere, type SelfMeter } from "./rounds.ts";
import { QUESTIONS_OF, type System } from "./system.ts";

const LOAD_RECORDS_MAX = 500;

/** A Deno KV file in the asking process: what sealkv stores on. */
export class LocalSystem implements System {
  readonly remarks = [];
  readonly #kv: Kv;
  readonly #random: Random;
  readonly #self: SelfMeter;
  readonly #value: Bytes;

  constructor(
    options: {
      readonly kv: Kv;
      readonly random: Random;
      readonly self: SelfMeter;
      readonly valueBytes: number;
    },
  ) {
    const { kv, random, self, valueBytes } = options;
    this.#kv = kv;
    this.#random = random;
    this.#self = self;
    this.#value = random.bytes(valueBytes);
  }

  async load(records: number): Promise<void> {
    for (let from = 0; from < records; from += LOAD_RECORDS_MAX) {
      const count = Math.min(LOAD_RECORDS_MAX, records - from);
      const sets = Array.from({ length: count }, (_, i) => ({
        key: keyOf(from + i),
        value: this.#value,
      }));
      await this.#kv.commit({ sets, deletes: [] });
    }
  }

  writers(): readonly Contender[] {
    return [this.#contender("set", async () => {
      const key = keyOf(this.#random.below(BENCH_KEYS));
      await this.#kv.commit({
        sets: [{ key, value: this.#value }],
        deletes: [],
      });
    })];
  }

  readers(records: number): readonly Contender[] {
    return [this.#contender("strong", async () => {
      await this.#kv.get([keyOf(this.#random.below(records))]);
    })];
  }

  #contender(
    question: keyof typeof QUESTIONS_OF,
    send: () => Promise<void>,
  ): Contender {
    const client = { send, close: () => {} };
    return {
      isOurs: false,
      system: "Deno.openKv file",
      question: QUESTIONS_OF[question](this.#value.length),
      run: loadHere(this.#self, () => Promise.resolve(client)),
      counters: null,
    };
  }
}

function keyOf(number: number): readonly string[] {
  return ["bench", benchKeyText(number)];
}
