/*
 * Goal: a change of encryption that a crash cuts anywhere is applied by the
 * replay to the same end, once: same state, no epoch given out again.
 * Method: one log with all kinds of changes, applied to its end. The process
 * dies in the nth commit of the store, before or after its effect, or around
 * the custody's own write; a start raises all epochs and applies the log on.
 */
import assert from "node:assert/strict";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { settle } from "../../../sim/io/clock.ts";
import { SimKvDisk, type SimKvFault } from "../../../sim/io/kv.ts";
import {
  ActingBench,
  changeEntry,
  clockEntry,
  foundingEntry,
} from "./acting_bench.ts";
import {
  BOOTSTRAP,
  RAFT,
  registrationOf,
  rotation,
  STATE,
  STORAGE,
} from "./changes.ts";
import { FakeCustody, type FakeSidecar, NO_SIDECAR } from "./fake_custody.ts";

const LOG = [
  foundingEntry(),
  clockEntry(1),
  changeEntry(3, BOOTSTRAP),
  changeEntry(4, registrationOf("n1", 1)),
  changeEntry(5, registrationOf("n2", 4)),
  clockEntry(2),
  changeEntry(7, rotation(44)),
  changeEntry(8, registrationOf("n2", 3)),
  changeEntry(9, { kind: "retire-dek", keyId: STORAGE }),
  changeEntry(10, rotation(55, 44)),
  clockEntry(3),
];

/** Dies around the nth write of the sidecar. */
interface CustodyCrash {
  readonly write: number;
  readonly when: "before" | "after";
}

class Crash extends Error {}

class MortalCustody extends FakeCustody {
  writes = 0;
  crash: CustodyCrash | null = null;

  override async absorb(...given: Parameters<FakeCustody["absorb"]>) {
    this.writes += 1;
    const dies = this.crash?.write === this.writes ? this.crash.when : null;
    if (dies === "before") throw new Crash();
    await super.absorb(...given);
    if (dies === "after") throw new Crash();
  }
}

interface Life {
  readonly kv?: { readonly faultAt: number; readonly fault: SimKvFault };
  readonly custody?: CustodyCrash;
}

class World {
  readonly disk = new SimKvDisk();
  sidecar: FakeSidecar = NO_SIDECAR;
  kvCommits = 0;
  writes = 0;

  /** Starts, applies what it can, ends; tells whether it died. */
  async live({ kv, custody: crash }: Life): Promise<boolean> {
    const before = this.sidecar;
    const opened = FakeCustody.opened("n1", before);
    const custody = new MortalCustody("n1", opened.sidecar);
    custody.crash = crash ?? null;
    this.disk.commits = 0;
    let isDead = false;
    try {
      const bench = await ActingBench.open(this.disk, custody, {
        ...(kv === undefined ? {} : { kv }),
      });
      bench.enqueue(LOG);
      await settle();
      isDead = bench.halted !== null;
      if (!isDead) {
        await bench.store.flush();
        assert.equal(bench.durable, LOG.length);
        this.state = bench.store.state;
      }
      await bench.close().catch(() => {});
    } catch (error) {
      // A store that a crash cut while it was opened.
      if (error instanceof assert.AssertionError) throw error;
      isDead = true;
    }
    this.sidecar = custody.sidecar;
    this.kvCommits = this.disk.commits;
    this.writes = custody.writes;
    mustRise(before.epochs, this.sidecar.epochs);
    return isDead;
  }

  state: ActingBench["store"]["state"] | null = null;
}

/** No start uses an epoch of an earlier one. */
function mustRise(
  before: ReadonlyMap<KeyId, number>,
  after: ReadonlyMap<KeyId, number>,
): void {
  for (const [id, epoch] of before) {
    const next = after.get(id);
    if (next === undefined) assert.equal(id, STORAGE, "only it is retired");
    else assert.equal(next, epoch + 1);
  }
}

Deno.test("a change of encryption survives a crash at every step", async () => {
  const clean = new World();
  assert.equal(await clean.live({}), false);
  const lives: Life[] = [];
  for (let faultAt = 1; faultAt <= clean.kvCommits; faultAt += 1) {
    for (const fault of ["crash-before", "crash-after"] as const) {
      lives.push({ kv: { faultAt, fault } });
    }
  }
  for (let write = 1; write <= clean.writes; write += 1) {
    for (const when of ["before", "after"] as const) {
      lives.push({ custody: { write, when } });
    }
  }
  assert.ok(lives.length >= 2 * (10 + 4), `${lives.length} crashes`);
  for (const life of lives) {
    const world = new World();
    const name = JSON.stringify(life);
    assert.equal(await world.live(life), true, name);
    // It dies once more, in the replay, then lives.
    await world.live({ kv: { faultAt: 1, fault: "crash-before" } });
    assert.equal(await world.live({}), false, name);
    assert.deepEqual(world.state, clean.state, name);
    const ids = [...world.sidecar.epochs.keys()].sort((a, b) => a - b);
    assert.deepEqual(ids, [RAFT, STATE, 44, 55], name);
    assert.equal(world.sidecar.index, 10, name);
  }
});

const PLACES: [name: string, index: number][] = [
  ["bootstrap", 3],
  ["its registration", 4],
  ["a rotation", 7],
  ["both", 10],
];

for (const [name, index] of PLACES) {
  Deno.test(`a restart after ${name} goes on where it was`, async () => {
    const disk = new SimKvDisk();
    const first = new FakeCustody("n1");
    const bench = await ActingBench.open(disk, first);
    await bench.apply(LOG.slice(0, index));
    const { state } = bench.store;
    await bench.close();
    const custody = FakeCustody.opened("n1", first.sidecar);
    const again = await ActingBench.open(disk, custody);
    assert.deepEqual(again.store.state, state);
    await again.apply(LOG);
    const later = [7, 9, 10].filter((one) => one > index);
    assert.deepEqual(custody.absorbed, later, "nothing twice");
    assert.equal(custody.epochs().get(RAFT), 2);
    await again.close();
  });
}
