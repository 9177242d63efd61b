/*
 * Goal: whatever is replayed after whatever crash, the sidecar never goes
 * back, is equal to or ahead of the store, and no epoch of a key is used by
 * two processes.
 * Method: one node takes over the states of a random history, in steps, by
 * checkpoints and by replays, on the simulated disk; the machine dies in or
 * after some of its writes, and the store may be put back to an older one.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { KeyId } from "../../../src/base/data_key.ts";
import type { Custody } from "../../../src/keys/custody.ts";
import type { SharedKeys } from "../../../src/keys/port.ts";
import { readSidecar } from "../../../src/keys/sidecar_file.ts";
import {
  CRASH_KINDS,
  type CrashKind,
  SimCrash,
  type SimDisk,
} from "../../sim/io/disk.ts";
import {
  bootstrapped,
  DIR,
  freshDisk,
  keyFor,
  openOn,
  rotatedTo,
  without,
} from "./custody_harness.ts";
import { runCount } from "../../run_count.ts";
import { CLUSTER_ID } from "./sample_keys.ts";
import { TestKek } from "./test_kek.ts";

const KEK = await TestKek.of(1);
const KEYS = 24;
const POOL = {
  storage: await poolOf("storage"),
  raft: await poolOf("raft"),
};
const FIRST = await bootstrapped([KEK]);

async function poolOf(purpose: "storage" | "raft") {
  const seeds = Array.from({ length: KEYS }, (_, i) => 1_000 + i * 2);
  const shift = purpose === "storage" ? 0 : 1;
  return await Promise.all(
    seeds.map((seed) => keyFor(purpose, [KEK], seed + shift)),
  );
}

type Change = "storage" | "raft" | "retire" | "cutover";

/** States of a cluster, one entry each, with gaps between the indexes. */
function historyOf(changes: readonly Change[]): readonly SharedKeys[] {
  const states: SharedKeys[] = [FIRST];
  for (const [i, change] of changes.entries()) {
    const last = states.at(-1)!;
    const index = last.stateIndex + 1 + i % 3;
    if (change === "cutover") {
      states.push({ ...last, stateIndex: index, storageCutoverIndex: index });
    } else if (change === "retire") {
      const { active, stateKey } = last;
      const live = [active.storage, active.raft, stateKey];
      const idle = [...last.keys.keys()].find((id) => !live.includes(id));
      if (idle !== undefined) states.push(without(last, idle, index));
    } else states.push(rotatedTo(last, POOL[change][i]!, index));
  }
  return states;
}

type Step =
  | { kind: "apply"; crash: CrashKind | "none yet"; after: number }
  | { kind: "install"; skip: number; isCommitted: boolean }
  | { kind: "restart" }
  | { kind: "register" }
  | { kind: "epoch"; which: number }
  | { kind: "store put back"; to: number };

class Node {
  readonly #history: readonly SharedKeys[];
  readonly #disk: SimDisk;
  /** Position of the store in the history; -1 before bootstrap. */
  #store = -1;
  #process = 0;
  #custody: Custody | null = null;
  #sidecarIndex = 0;
  /** Which process used an epoch of a key. */
  readonly #used = new Map<string, number>();
  /** What the registry says from a position on. */
  readonly #registry: { from: number; epochs: ReadonlyMap<KeyId, number> }[] =
    [];

  constructor(history: readonly SharedKeys[], disk: SimDisk) {
    this.#history = history;
    this.#disk = disk;
  }

  async run(step: Step): Promise<void> {
    const custody = this.#custody ?? await this.#start();
    switch (step.kind) {
      case "apply":
        return await this.#apply(custody, step.crash, step.after);
      case "install": {
        const to = Math.min(this.#store + 1 + step.skip, this.#lastPosition);
        await this.#absorb(custody, to);
        if (step.isCommitted) this.#store = to;
        else this.#die("none");
        return;
      }
      case "restart":
        return this.#die("none");
      case "register": {
        const epochs = new Map(custody.epochs());
        this.#registry.push({ from: this.#store, epochs });
        return;
      }
      case "epoch": {
        const ids = [...custody.epochs().keys()];
        const id = ids[step.which % ids.length];
        if (id !== undefined) await custody.nextEpoch(id);
        return await this.check();
      }
      case "store put back":
        this.#store = Math.min(this.#store, step.to);
        return this.#die("all");
    }
  }

  async #apply(custody: Custody, crash: string, after: number) {
    const to = Math.min(this.#store + 1, this.#lastPosition);
    const kind = CRASH_KINDS.find((known) => known === crash);
    if (kind !== undefined) this.#disk.crashAt = this.#disk.operations + after;
    try {
      await this.#absorb(custody, to);
      if (kind !== undefined) return this.#die(kind);
      this.#store = to;
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
      this.#die(kind ?? "none");
    }
  }

  async #absorb(custody: Custody, to: number): Promise<void> {
    const state = this.#history[to];
    if (state === undefined) return;
    await custody.absorb(CLUSTER_ID, state, (id) => this.#registered(to, id));
    await this.check();
  }

  #registered(position: number, id: KeyId): number {
    const rows = this.#registry.filter(({ from }) => from <= position);
    return Math.max(0, ...rows.map(({ epochs }) => epochs.get(id) ?? 0));
  }

  async #start(): Promise<Custody> {
    this.#process += 1;
    const custody = await openOn(this.#disk, [KEK]);
    await custody.raiseEpochs();
    this.#custody = custody;
    await this.check();
    return custody;
  }

  #die(kind: CrashKind): void {
    this.#disk.restart(kind);
    this.#custody = null;
  }

  async check(): Promise<void> {
    const custody = this.#custody ?? await this.#start();
    const found = await readSidecar(this.#disk, DIR);
    const index = found?.shared.stateIndex ?? 0;
    assert.equal(custody.sidecarIndex, index);
    assert.ok(index >= this.#sidecarIndex, "never goes back");
    this.#sidecarIndex = index;
    const store = this.#history[this.#store]?.stateIndex ?? 0;
    assert.ok(index >= store, "equal to or ahead of the store");
    if (found === null) return;
    const state = this.#history.find(({ stateIndex }) => stateIndex === index);
    assert.deepEqual(found.shared, state);
    assert.deepEqual(custody.epochs(), found.epochs);
    for (const { id, purpose } of found.shared.keys.values()) {
      custody.dek(id, purpose);
    }
    for (const [id, epoch] of found.epochs) {
      const use = `${id}/${epoch}`;
      const by = this.#used.get(use) ?? this.#process;
      assert.equal(by, this.#process, `epoch ${use} used twice`);
      this.#used.set(use, by);
    }
  }

  get #lastPosition(): number {
    return this.#history.length - 1;
  }
}

const change = fc.constantFrom<Change>("storage", "raft", "retire", "cutover");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("apply" as const),
      crash: fc.constantFrom(...CRASH_KINDS, "none yet" as const),
      after: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("install" as const),
      skip: fc.nat(6),
      isCommitted: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant("restart" as const) }),
  fc.record({ kind: fc.constant("register" as const) }),
  fc.record({ kind: fc.constant("epoch" as const), which: fc.nat(9) }),
  fc.record({
    kind: fc.constant("store put back" as const),
    to: fc.integer({ min: -1, max: 8 }),
  }),
);

Deno.test("custody survives crashes, replays and checkpoints", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: KEYS }),
      fc.array(step, { minLength: 10, maxLength: 40 }),
      fc.nat(1_000),
      async (changes, steps, seed) => {
        const node = new Node(historyOf(changes), await freshDisk(seed + 1));
        for (const step of steps) await node.run(step);
        await node.check();
      },
    ),
    { numRuns: runCount(30) },
  );
});
