/*
 * Goal: whatever a lone node answered is there after any crash, once; a strong
 * read never misses a write that was answered before it; what was not answered
 * took place wholly or not at all.
 * Method: a whole node on a simulated disk and backing store. Writers add
 * numbered records and count them in the same atomic, under a check that the
 * record is new; readers watch the count. In some operation the log's disk or
 * the backing store dies, and with it the process; the disk keeps what its
 * crash kind says; the node starts again. Replay one seed: SEED=42.
 */
import assert from "node:assert/strict";
import { concatBytes, utf8, viewOf } from "../../src/base/bytes.ts";
import { type AtomicWrite, ENCODING_LE64 } from "../../src/fsm/types.ts";
import { Node } from "../../src/node/node.ts";
import { openNode } from "../../src/node/open_node.ts";
import type { ReadEntry, ReadRange } from "../../src/node/port.ts";
import { runCount } from "../run_count.ts";
import { SimClock } from "./io/clock.ts";
import { CRASH_KINDS, SimDisk } from "./io/disk.ts";
import { SimKv, SimKvDisk } from "./io/kv.ts";
import { SimRandom } from "./io/random.ts";

const SEEDS = runCount(30);
const LIVES = 4;
const WRITERS = 5;
const COUNT = utf8("count");
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
const NO_BYTES = new Uint8Array(0);
const SEGMENT_BYTES = 8 * 1024;
const RECORDS: ReadRange = {
  start: utf8("k"),
  end: utf8("l"),
  limit: 1_000_000,
  reverse: false,
};
const COUNT_ALONE: ReadRange = {
  start: COUNT,
  end: concatBytes(COUNT, Uint8Array.of(0)),
  limit: 1,
  reverse: false,
};

/** What clients know: keys by what they were told of them. */
class Ledger {
  readonly answered = new Set<string>();
  readonly unknown = new Set<string>();
  #next = 0;

  draw(): string {
    this.#next += 1;
    return `k${String(this.#next).padStart(6, "0")}`;
  }
}

class World {
  readonly ledger = new Ledger();
  readonly random: SimRandom;
  readonly #disk: SimDisk;
  readonly #kvDisk = new SimKvDisk();

  constructor(seed: number) {
    this.random = new SimRandom(seed);
    this.#disk = new SimDisk({ seed });
  }

  /** Runs one life of the process; `isLast` has no faults. */
  async live(isLast: boolean): Promise<void> {
    const { random } = this;
    const died = Promise.withResolvers<void>();
    const kvDies = !isLast && random.chance(1, 2);
    const kv = new SimKv({
      disk: this.#kvDisk,
      ...(kvDies ? { faultAt: 1 + random.below(25) } : {}),
      fault: random.chance(1, 2) ? "crash-before" : "crash-after",
      pause: slowKv(random),
    });
    if (!isLast && !kvDies) {
      this.#disk.crashAt = this.#disk.operations + 1 + random.below(120);
    }
    let node: Node | null = null;
    try {
      node = await this.#open(kv, died.resolve);
      node.start();
      await node.ready();
      await this.check(node);
      if (!isLast) await this.#load(node, died.promise);
    } catch (error) {
      if (isLast || error instanceof assert.AssertionError) throw error;
    }
    await node?.stop().catch(() => {});
    this.#disk.restart(CRASH_KINDS[random.below(CRASH_KINDS.length)]!);
  }

  /** Records and their count, read at once, agree with what clients know. */
  async check(node: Node): Promise<void> {
    const answered = [...this.ledger.answered];
    const [records, counts] = await read(node, [RECORDS, COUNT_ALONE]);
    const present = new Set(
      records!.map(({ key }) => new TextDecoder().decode(key)),
    );
    for (const key of answered) assert.ok(present.has(key), `${key} is lost`);
    const { unknown } = this.ledger;
    for (const key of present) {
      const isAsked = this.ledger.answered.has(key) || unknown.has(key);
      assert.ok(isAsked, `${key} is invented`);
    }
    assert.equal(countOf(counts!), present.size, "each is counted once");
  }

  #open(kv: SimKv, onFatal: () => void): Promise<Node> {
    return openNode({
      disk: this.#disk,
      openKv: () => Promise.resolve(kv),
      clock: new SimClock(),
      random: this.random,
      log: { write: () => {} },
    }, {
      name: "n1",
      clusterName: "sim",
      dataDir: "/data",
      heartbeatMs: 50,
      electionMs: 500,
      segmentBytes: SEGMENT_BYTES,
      compactAfterBytes: SEGMENT_BYTES,
      trailingEntries: 3,
      onFatal,
    });
  }

  async #load(node: Node, died: Promise<void>): Promise<void> {
    let isDead = false;
    died.then(() => isDead = true);
    const writers = Array.from({ length: WRITERS }, async () => {
      for (let i = 0; i < 120 && !isDead; i += 1) await this.#write(node);
    });
    const reader = (async () => {
      for (let i = 0; i < 30 && !isDead; i += 1) await this.check(node);
    })();
    await Promise.all([...writers, reader]);
  }

  async #write(node: Node): Promise<void> {
    const { answered, unknown } = this.ledger;
    const key = this.ledger.draw();
    unknown.add(key);
    const reply = await node.write(addOnce(utf8(key)));
    assert.equal(reply.kind, "committed");
    unknown.delete(key);
    answered.add(key);
  }
}

/** A backing store that falls behind: several of its atomics wait. */
function slowKv(random: SimRandom): (operation: string) => Promise<void> {
  const turnsMax = [1, 20, 2_000][random.below(3)]!;
  return async (operation) => {
    const turns = random.below(operation === "commit" ? turnsMax : 5);
    for (let i = 0; i < turns; i += 1) await Promise.resolve();
  };
}

function addOnce(key: Uint8Array): AtomicWrite {
  return {
    database: "",
    checks: [{ key, versionstamp: null }],
    changes: [
      {
        kind: "set",
        key,
        value: { data: ONE, encoding: ENCODING_LE64 },
        expireAtMs: 0,
      },
      {
        kind: "sum",
        key: COUNT,
        value: { data: ONE, encoding: ENCODING_LE64 },
        min: NO_BYTES,
        max: NO_BYTES,
        clamp: false,
      },
    ],
  };
}

function read(
  node: Node,
  ranges: readonly ReadRange[],
): Promise<readonly (readonly ReadEntry[])[]> {
  return node.read({ database: "", ranges, strong: true });
}

function countOf([entry]: readonly ReadEntry[]): number {
  if (entry === undefined) return 0;
  return Number(viewOf(entry.value.data).getBigUint64(0, true));
}

const replayed = Deno.env.get("SEED");
const seeds = replayed === undefined
  ? Array.from({ length: SEEDS }, (_, i) => i + 1)
  : [Number(replayed)];

Deno.test("Node keeps what it answered through crashes", async () => {
  let answered = 0;
  for (const seed of seeds) {
    const world = new World(seed);
    try {
      for (let life = 0; life < LIVES; life += 1) await world.live(false);
      await world.live(true);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    answered += world.ledger.answered.size;
  }
  assert.ok(answered > seeds.length * WRITERS, `${answered} writes in all`);
});
