import { strict as assert } from "node:assert";
import { InvariantError } from "../../src/base/assert.ts";
import { Inflights } from "../../src/raft/inflights.ts";
import { Progress, type ProgressState } from "../../src/raft/progress.ts";
import { readCorpus } from "../scenario/corpus.ts";

interface Given {
  readonly state?: keyof typeof STATES;
  readonly match?: number;
  readonly next?: number;
  readonly pendingSnapshot?: number;
  readonly recentActive?: boolean;
  readonly msgAppFlowPaused?: boolean;
  readonly isLearner?: boolean;
  readonly inflights?: {
    readonly size: number;
    readonly maxBytes: number;
    readonly add: readonly (readonly [number, number])[];
  };
}

type Row = Given & {
  readonly want: boolean;
  readonly wantNext: number;
  readonly wantMatch: number;
};

interface Tracker {
  readonly progressString: readonly { in: Given; out: string }[];
  readonly isPaused: readonly Row[];
  readonly resume: readonly (Row & { steps: readonly unknown[][] })[];
  readonly becomeProbe: readonly (Row & { in: Given })[];
  readonly becomeReplicate: readonly (Row & { in: Given })[];
  readonly becomeSnapshot:
    readonly (Row & { in: Given; arg: number; wantPendingSnapshot: number })[];
  readonly maybeUpdate: readonly (Row & { update: number })[];
  readonly maybeDecrTo: readonly (Row & { rejected: number; hint: number })[];
  readonly inflightsFull: readonly {
    readonly name: string;
    readonly size: number;
    readonly maxBytes: number;
    readonly fullAt: number;
    readonly freeLE: number;
    readonly againAt: number;
  }[];
  readonly inflightsFree: {
    readonly size: number;
    readonly maxBytes: number;
    readonly steps: readonly unknown[][];
  };
  readonly inflightsReset: {
    readonly size: number;
    readonly maxBytes: number;
    readonly epochs: number;
  };
}

const STATES = {
  StateProbe: "probe",
  StateReplicate: "replicate",
  StateSnapshot: "snapshot",
} as const satisfies Record<string, ProgressState>;

const file = readCorpus("tracker.json")[0];
const ignore = file === undefined;
const tracker = (): Tracker => JSON.parse(file?.text ?? "{}");

Deno.test({
  name: "tracker vectors: what a record says and whether it is paused",
  ignore,
  fn: () => {
    for (const { in: given, out } of tracker().progressString) {
      assert.equal(make(given).describe(), out);
    }
    for (const row of tracker().isPaused) {
      assert.equal(make(row).isPaused(), row.want, JSON.stringify(row));
    }
  },
});

Deno.test({
  name: "tracker vectors: an answer resumes appends",
  ignore,
  fn: () => {
    for (const row of tracker().resume) {
      const record = make(row);
      for (const [verb, ...args] of row.steps) {
        const [a = 0, b = 0] = args as number[];
        if (verb === "maybeDecrTo") record.maybeDecrement(a, b);
        else if (verb === "maybeUpdate") record.maybeUpdate(a);
        else if (verb === "setPaused") record.appendsPaused = Boolean(a);
        else assert.equal(record.isPaused(), args[0]);
      }
    }
  },
});

Deno.test({
  name: "tracker vectors: transitions between states",
  ignore,
  fn: () => {
    const { becomeProbe, becomeReplicate, becomeSnapshot } = tracker();
    for (const row of becomeProbe) {
      const record = make(row.in);
      record.becomeProbe();
      expectPlace(record, row);
    }
    for (const row of becomeReplicate) {
      const record = make(row.in);
      record.becomeReplicate();
      expectPlace(record, row);
    }
    for (const row of becomeSnapshot) {
      const record = make(row.in);
      record.becomeSnapshot(row.arg);
      expectPlace(record, row);
      assert.equal(record.pendingSnapshot, row.wantPendingSnapshot);
    }
  },
});

Deno.test({
  name: "tracker vectors: accepted and refused appends",
  ignore,
  fn: () => {
    for (const row of tracker().maybeUpdate) {
      const record = make(row);
      assert.equal(record.maybeUpdate(row.update), row.want);
      expectPlace(record, row);
    }
    for (const row of tracker().maybeDecrTo) {
      const record = make(row);
      const moved = record.maybeDecrement(row.rejected, row.hint);
      assert.equal(moved, row.want, JSON.stringify(row));
      assert.equal(record.next, row.wantNext, JSON.stringify(row));
    }
  },
});

Deno.test({
  name: "tracker vectors: limits of messages on their way",
  ignore,
  fn: () => {
    for (const row of tracker().inflightsFull) {
      const inflights = new Inflights({
        countMax: row.size,
        bytesMax: row.maxBytes,
      });
      const fill = (from: number, until: number) => {
        for (let i = from; i < until; i += 1) {
          assert.equal(inflights.isFull(), false, `${row.name} at ${i}`);
          inflights.add(i, 100 + i);
        }
        assert.equal(inflights.isFull(), true, row.name);
      };
      fill(0, row.fullAt);
      inflights.freeUpTo(row.freeLE);
      fill(row.fullAt, row.againAt);
      assert.throws(() => inflights.add(100, 1_024), InvariantError, row.name);
    }
  },
});

Deno.test({
  name: "tracker vectors: freeing and forgetting messages",
  ignore,
  fn: () => {
    const { size, maxBytes, steps } = tracker().inflightsFree;
    const inflights = new Inflights({ countMax: size, bytesMax: maxBytes });
    for (const [verb, a, b] of steps) {
      if (verb === "addRange") {
        for (let i = Number(a); i < Number(b); i += 1) {
          inflights.add(i, 100 + i);
        }
      } else if (verb === "freeLE") inflights.freeUpTo(Number(a));
      else {
        const { count, bytes } = inflights;
        assert.deepEqual({ count, bytes }, a);
      }
    }

    const limits = tracker().inflightsReset;
    const ring = new Inflights({
      countMax: limits.size,
      bytesMax: limits.maxBytes,
    });
    let index = 0;
    for (let epoch = 0; epoch < limits.epochs; epoch += 1) {
      ring.reset();
      for (let i = 0; i < 5; i += 1) {
        assert.equal(ring.isFull(), false);
        index += 1;
        ring.add(index, 16);
      }
      ring.freeUpTo(index - 2);
      assert.equal(ring.isFull(), false);
      assert.equal(ring.count, 2);
    }
    ring.freeUpTo(index);
    assert.equal(ring.count, 0);
  },
});

function expectPlace(record: Progress, row: Row): void {
  assert.deepEqual(
    [record.match, record.next],
    [row.wantMatch, row.wantNext],
    JSON.stringify(row),
  );
}

function make(given: Given): Progress {
  const inflights = new Inflights({
    countMax: given.inflights?.size ?? 256,
    bytesMax: given.inflights?.maxBytes ?? 0,
  });
  for (const [index, bytes] of given.inflights?.add ?? []) {
    inflights.add(index, bytes);
  }
  const record = new Progress({
    match: given.match ?? 0,
    next: given.next ?? 0,
    isLearner: given.isLearner ?? false,
    recentActive: given.recentActive ?? false,
    inflights,
  });
  record.state = STATES[given.state ?? "StateProbe"];
  record.pendingSnapshot = given.pendingSnapshot ?? 0;
  record.appendsPaused = given.msgAppFlowPaused ?? false;
  return record;
}
