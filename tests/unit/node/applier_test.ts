import assert from "node:assert/strict";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { encodeMemberContext } from "../../../src/fsm/members.ts";
import {
  encodeAnnouncement,
  encodeClock,
  encodeClusterInit,
} from "../../../src/fsm/payload.ts";
import { encodeProposal } from "../../../src/fsm/proposal.ts";
import type { Member, WriteReply } from "../../../src/fsm/types.ts";
import {
  Applier,
  type OpeningHalf,
  type RestTask,
} from "../../../src/node/applier.ts";
import type { EncryptionActing } from "../../../src/node/encryption/acting.ts";
import { ApplyHaltedError } from "../../../src/node/errors.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  encodeConfChange,
  LEAVE_JOINT,
  type SingleChange,
  TRANSITION_EXPLICIT,
} from "../../../src/raft/conf_change.ts";
import {
  type Entry,
  ENTRY_CONF_CHANGE_V2,
  ENTRY_NORMAL,
} from "../../../src/raft/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { settle } from "../../sim/io/clock.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { memberOf, SILENT_LOG } from "../store/store_model.ts";

const DISK_ID = new Uint8Array(16).fill(7);
const FOUNDERS = [
  memberOf(1, "n1:1"),
  memberOf(2, "n2:1"),
  memberOf(3, "n3:1"),
];

interface Told {
  readonly index: number;
  readonly seq: number | null;
  readonly term: number;
  readonly isMembershipChanged: boolean;
}

/** No change of encryption comes here: tests of those are beside it. */
const NO_CHANGES = {
  wake: () => {},
  apply: () => Promise.reject(new Error("not asked here")),
} satisfies Pick<EncryptionActing, "wake" | "apply">;

const NOTHING_SEALED = {
  begin: () => {},
  isSealed: () => false,
  open: () => Promise.reject(new Error("not asked here")),
} satisfies OpeningHalf;

/** An applier on a store of voters 1 to 3, and what it told its node. */
class Bench {
  readonly replies = new Map<number, readonly WriteReply[]>();
  readonly store: BufferedStore;
  readonly #applier: Applier;
  readonly groups: Told[] = [];
  readonly skipped: number[] = [];
  halted: Error | null = null;
  #index = 0;
  #settled = Promise.withResolvers<void>();
  #left = 0;

  private constructor(store: BufferedStore) {
    this.store = store;
    this.#applier = new Applier(store, {
      clusterIdKnown: () => Promise.resolve(),
      applied: ({ replies, index, seq, term, isMembershipChanged }) => {
        this.groups.push({ index, seq, term, isMembershipChanged });
        for (const [id, reply] of replies) this.replies.set(id, reply);
        if (index === this.#left) this.#settled.resolve();
      },
      skipped: (seq) => this.skipped.push(seq),
      halted: (error) => {
        this.halted = error;
        this.#settled.resolve();
      },
    }, { acting: NO_CHANGES, opening: NOTHING_SEALED });
  }

  static async open(disk: SimKvDisk): Promise<Bench> {
    const kv = new SimKv({ disk });
    const store = await BufferedStore.open({ kv, log: SILENT_LOG });
    const { confState } = store.state;
    if (confState.voters.length === 0) {
      const founded = { ...confState, voters: [1, 2, 3] };
      await store.commit({
        state: { ...store.state, confState: founded },
        mutations: [],
      });
    }
    const bench = new Bench(store);
    bench.#index = store.state.applied.index;
    return bench;
  }

  /** Applies entries of these data, as one group. */
  async apply(...items: readonly (readonly [number, Uint8Array])[]) {
    const entries = items.map(([type, data]): Entry => {
      this.#index += 1;
      return { type: type as Entry["type"], term: 1, index: this.#index, data };
    });
    this.#left = this.#index;
    this.#settled = Promise.withResolvers<void>();
    this.#applier.enqueue({ seq: 1, entries });
    await this.#settled.promise;
  }

  /** Hands entries over without waiting for them. */
  enqueue(seq: number, ...entries: readonly Entry[]): void {
    this.#applier.enqueue({ seq, entries });
  }

  replaceStore(swap: () => Promise<void>): Promise<void> {
    return this.#applier.replaceStore(swap);
  }

  rest(task: RestTask): Promise<void> {
    return this.#applier.rest(task);
  }

  members(): readonly Member[] {
    return [...this.store.state.fsm.members.values()];
  }

  async close(): Promise<void> {
    await this.#applier.stop();
    await this.store.close();
  }
}

function normal(id: number, payload: Uint8Array) {
  return [ENTRY_NORMAL, encodeProposal(id, payload)] as const;
}

function change(
  changes: readonly SingleChange[],
  context: readonly Member[] = [],
) {
  return [
    ENTRY_CONF_CHANGE_V2,
    encodeConfChange({
      transition: TRANSITION_EXPLICIT,
      changes,
      context: encodeMemberContext(context),
    }),
  ] as const;
}

const init = normal(
  1,
  encodeClusterInit(new Uint8Array(16).fill(1), "c", FOUNDERS),
);
const leave = [ENTRY_CONF_CHANGE_V2, encodeConfChange(LEAVE_JOINT)] as const;

Deno.test("Applier keeps members as the conf state has them, in one group", async () => {
  const disk = new SimKvDisk();
  const bench = await Bench.open(disk);
  const joining = { ...memberOf(7, "n7:1"), promoteWhenCaughtUp: true };
  const said = { ...joining, peerAddress: "n7:2", diskId: DISK_ID };
  await bench.apply(
    init,
    [ENTRY_NORMAL, new Uint8Array(0)],
    change([
      { type: CHANGE_ADD_LEARNER, id: 7 },
      { type: CHANGE_REMOVE, id: 2 },
    ], [joining]),
    normal(2, encodeAnnouncement(said)),
  );
  assert.deepEqual(bench.replies.get(2)?.map(({ kind }) => kind), [
    "committed",
  ]);
  const [n1, n2, n3] = FOUNDERS;
  assert.deepEqual(bench.members(), [n1, n2, n3, said], "2 is outgoing yet");
  await bench.apply(leave, change([{ type: CHANGE_ADD_VOTER, id: 7 }]));
  assert.deepEqual(bench.members(), [n1, n3, said]);
  await bench.close();
  const again = await Bench.open(disk);
  assert.deepEqual(again.members(), [n1, n3, said], "also after a restart");
  await again.apply(leave);
  assert.deepEqual(again.members(), [n1, n3, said]);
  assert.deepEqual(again.store.state.confState.voters, [1, 3, 7]);
  await again.close();
});

Deno.test("Applier leaves members alone when a change cannot be", async () => {
  const bench = await Bench.open(new SimKvDisk());
  const all = [1, 2, 3].map((id) => ({ type: CHANGE_REMOVE, id } as const));
  await bench.apply(init, change(all, [memberOf(9)]));
  assert.deepEqual(bench.members(), FOUNDERS);
  assert.deepEqual(bench.store.state.confState.voters, [1, 2, 3]);
  assert.equal(bench.halted, null);
  await bench.close();
});

Deno.test("Applier halts before a change whose context it does not know", async () => {
  const bench = await Bench.open(new SimKvDisk());
  await bench.apply(init);
  const [type, data] = change([{ type: CHANGE_ADD_LEARNER, id: 7 }]);
  await bench.apply([type, Uint8Array.of(...data, 0xff)]);
  assert.ok(bench.halted instanceof ApplyHaltedError);
  assert.equal(bench.halted.index, 2);
  assert.ok(bench.halted.cause instanceof CommandMalformedError);
  assert.equal(bench.store.state.applied.index, 1);
  assert.deepEqual(bench.members(), FOUNDERS);
  await bench.close();
});

/** An entry that does nothing. */
function empty(index: number, term = 1): Entry {
  return { type: ENTRY_NORMAL, term, index, data: new Uint8Array(0) };
}

Deno.test("Applier tells up to where, of which term, and of which job", async () => {
  const bench = await Bench.open(new SimKvDisk());
  bench.enqueue(1, empty(1), empty(2));
  bench.enqueue(2, empty(3, 4));
  await settle();
  const last = bench.groups.at(-1);
  assert.deepEqual([last?.index, last?.term, last?.seq], [3, 4, 2]);
  await bench.close();
});

Deno.test("Applier tells of changes to the members, and of nothing else", async () => {
  const bench = await Bench.open(new SimKvDisk());
  await bench.apply([ENTRY_NORMAL, new Uint8Array(0)]);
  await bench.apply(init);
  await bench.apply(normal(5, encodeClock(1_000)));
  await bench.apply(change([{ type: CHANGE_ADD_LEARNER, id: 7 }]));
  const said = { ...memberOf(7), name: "id-7", diskId: DISK_ID };
  await bench.apply(normal(6, encodeAnnouncement(said)));
  await bench.apply(normal(7, encodeAnnouncement(said)));
  assert.deepEqual(
    bench.groups.map(({ isMembershipChanged }) => isMembershipChanged),
    [false, true, false, true, true, false],
  );
  await bench.close();
});

/** Swaps in a store at `index`, as a checkpoint does. */
async function swapTo(bench: Bench, index: number): Promise<void> {
  const { state } = bench.store;
  const applied = { index, term: 9 };
  await bench.store.commit({ state: { ...state, applied }, mutations: [] });
}

Deno.test("Applier.replaceStore() lets what runs end, and skips what waits", async () => {
  const bench = await Bench.open(new SimKvDisk());
  bench.enqueue(1, empty(1));
  bench.enqueue(2, empty(2), empty(3));
  const during: number[] = [];
  await bench.replaceStore(async () => {
    during.push(bench.store.state.applied.index);
    await swapTo(bench, 50);
  });
  const appliedBefore = bench.groups.at(-1)!.index;
  assert.deepEqual(during, [appliedBefore], "no group was cut in two");
  const waited = appliedBefore === 3 ? [] : [2];
  assert.deepEqual(bench.skipped, waited);
  bench.enqueue(3, empty(51));
  await settle();
  assert.equal(bench.store.state.applied.index, 51);
  assert.equal(bench.groups.at(-1)?.seq, 3);
  await bench.close();
});

Deno.test("Applier.replaceStore() answers for jobs that waited, once", async () => {
  const bench = await Bench.open(new SimKvDisk());
  let startSwap = () => {};
  const started = new Promise<void>((resolve) => startSwap = resolve);
  const first = bench.replaceStore(async () => {
    await started;
    await swapTo(bench, 50);
  });
  await settle();
  // Handed out while the swap runs: half below it, half above.
  bench.enqueue(7, empty(49), empty(50));
  bench.enqueue(8, empty(51), empty(52));
  await settle();
  assert.equal(bench.groups.length, 0, "nothing is applied meanwhile");
  startSwap();
  await first;
  await settle();
  assert.deepEqual(bench.skipped, [], "they were not there when it began");
  assert.equal(bench.store.state.applied.index, 52);
  assert.equal(bench.groups.at(-1)?.seq, 8);
  assert.equal(bench.halted, null);
  await bench.close();
});

Deno.test("Applier.replaceStore() skips the last of the jobs that wait", async () => {
  const bench = await Bench.open(new SimKvDisk());
  const done = bench.replaceStore(() => swapTo(bench, 50));
  bench.enqueue(1, empty(1), empty(2));
  bench.enqueue(2, empty(3));
  await done;
  assert.deepEqual(bench.skipped, [2]);
  await settle();
  assert.equal(bench.groups.length, 0);
  await bench.close();
});

Deno.test("Applier.rest() keeps entries waiting, and applies them after it", async () => {
  const bench = await Bench.open(new SimKvDisk());
  const { promise, resolve } = Promise.withResolvers<void>();
  const resting = bench.rest(() => promise);
  bench.enqueue(1, empty(1), empty(2));
  await settle();
  assert.deepEqual(bench.groups, []);
  resolve();
  await resting;
  await settle();
  assert.equal(bench.store.state.applied.index, 2);
  assert.deepEqual([bench.skipped, bench.halted], [[], null]);
  await bench.close();
});

Deno.test("Applier.rest() lets rests and swaps take turns", async () => {
  const bench = await Bench.open(new SimKvDisk());
  const steps: string[] = [];
  const task = (name: string) => async () => {
    steps.push(`${name} begins`);
    await settle();
    steps.push(`${name} ends`);
  };
  const all = [
    bench.rest(task("a")),
    bench.replaceStore(task("b")),
    bench.rest(task("c")),
  ];
  bench.enqueue(1, empty(1));
  await Promise.all(all);
  assert.deepEqual(steps, [
    ...["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"],
  ]);
  assert.deepEqual(bench.skipped, [1], "the swap has it");
  await bench.close();
});

Deno.test("Applier.rest() that fails goes on applying, unless it halted", async () => {
  const bench = await Bench.open(new SimKvDisk());
  const fault = new Error("no copy");
  await assert.rejects(bench.rest(() => Promise.reject(fault)), fault);
  bench.enqueue(1, empty(1));
  await settle();
  assert.equal(bench.store.state.applied.index, 1);
  const halting: RestTask = (halt) => {
    halt();
    return Promise.reject(fault);
  };
  await assert.rejects(bench.rest(halting), fault);
  bench.enqueue(2, empty(2));
  await settle();
  assert.equal(bench.store.state.applied.index, 1);
  await bench.close();
});
