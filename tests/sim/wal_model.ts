import assert from "node:assert/strict";
import { toHex } from "../../src/base/bytes.ts";
import type { Random } from "../../src/io/random.ts";
import type {
  ConfState,
  Entry,
  HardState,
  SnapshotMetadata,
} from "../../src/raft/types.ts";
import { type PersistBatch, Wal, type WalOptions } from "../../src/wal/wal.ts";
import type { SimDisk } from "./io/disk.ts";

export const ONE_VOTER: ConfState = {
  voters: [1],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** Metadata of a checkpoint of a one-voter group. */
export function metadataAt(index: number, term: number): SnapshotMetadata {
  return { confState: ONE_VOTER, index, term };
}

/** An entry whose data tell its index and term, `length` bytes long. */
export function entryAt(index: number, term: number, length = 24): Entry {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) data[i] = index * 31 + term * 7 + i | 1;
  return { type: 0, term, index, data };
}

/** Entries of [from, until) of one term. */
export function entriesOf(
  from: number,
  until: number,
  term: number,
  length = 24,
): Entry[] {
  const entries: Entry[] = [];
  for (let i = from; i < until; i += 1) entries.push(entryAt(i, term, length));
  return entries;
}

/** A batch that must sync. */
export function batchOf(
  entries: readonly Entry[],
  hardState?: HardState,
): PersistBatch {
  return { entries, mustSync: true, ...(hardState ? { hardState } : {}) };
}

/** A random port that repeats itself. */
export const FIXED_RANDOM: Random = {
  bytes: (length) => new Uint8Array(length).fill(0xa5),
  below: () => 0,
};

export interface LoggedEvent {
  readonly event: string;
  readonly fields: unknown;
}

/** Options for a log on `disk` with segments of a few frames. */
export function simWalOptions(
  disk: SimDisk,
  events: LoggedEvent[] = [],
  segmentBytes = 2048,
): WalOptions {
  return {
    dir: "raft",
    disk,
    random: FIXED_RANDOM,
    log: { write: (_, event, fields) => void events.push({ event, fields }) },
    nodeName: "n1",
    segmentBytes,
  };
}

/** One call of a script. */
export type Step =
  | { readonly kind: "append"; readonly batch: PersistBatch }
  | { readonly kind: "mark"; readonly metadata: SnapshotMetadata }
  | { readonly kind: "compact"; readonly until: number }
  | { readonly kind: "cluster"; readonly id: Uint8Array<ArrayBuffer> };

/** What a log should hold, kept the simplest way. */
export interface Model {
  readonly hardState: HardState;
  readonly floor: number;
  readonly floorTerm: number;
  readonly mark: number;
  readonly entries: readonly Entry[];
  readonly clusterId: string | null;
}

export function foundedModel({ index, term }: SnapshotMetadata): Model {
  return {
    hardState: { term, vote: 0, commit: index },
    floor: index,
    floorTerm: term,
    mark: index,
    entries: [],
    clusterId: null,
  };
}

/** The model after `step`. */
export function modelAfter(model: Model, step: Step): Model {
  switch (step.kind) {
    case "append":
      return afterBatch(model, step.batch);
    case "mark": {
      if (step.metadata.index <= model.mark) return model;
      const { index } = step.metadata;
      const commit = Math.max(model.hardState.commit, index);
      const hardState = { ...model.hardState, commit };
      return { ...model, mark: index, hardState };
    }
    case "compact": {
      const floor = Math.min(step.until, model.mark);
      if (floor <= model.floor) return model;
      const at = model.entries.find(({ index }) => index === floor);
      return {
        ...model,
        floor,
        floorTerm: at?.term ?? model.floorTerm,
        entries: model.entries.filter(({ index }) => index > floor),
      };
    }
    case "cluster":
      return { ...model, clusterId: toHex(step.id) };
  }
}

function afterBatch(model: Model, batch: PersistBatch): Model {
  let next = model;
  if (batch.snapshot) {
    const { index, term } = batch.snapshot;
    const commit = Math.max(next.hardState.commit, index);
    next = {
      ...next,
      floor: index,
      floorTerm: term,
      mark: index,
      entries: [],
      hardState: { ...next.hardState, commit },
    };
  }
  const first = batch.entries[0]?.index ?? Infinity;
  const kept = next.entries.filter(({ index }) => index < first);
  next = { ...next, entries: [...kept, ...batch.entries] };
  if (!batch.hardState) return next;
  const { term, vote, commit } = batch.hardState;
  const hardState = {
    term,
    vote,
    commit: Math.max(commit, next.hardState.commit),
  };
  return { ...next, hardState };
}

export function runStep(wal: Wal, step: Step): Promise<void> {
  switch (step.kind) {
    case "append":
      return wal.append(step.batch);
    case "mark":
      return wal.mark(step.metadata);
    case "compact":
      return wal.compact(step.until);
    case "cluster":
      return wal.setClusterId(step.id);
  }
}

/** What `wal` holds, read back through its storage and from disk. */
export async function observed(wal: Wal): Promise<Model> {
  const { storage } = wal;
  const first = storage.firstIndex();
  const last = storage.lastIndex();
  const entries: Entry[] = [];
  while (first + entries.length <= last) {
    const next = first + entries.length;
    const run = await wal.fetch(next, last + 1, 1000);
    assert.ok(run.length > 0, `entry ${next} reads back`);
    entries.push(...run);
  }
  for (const entry of entries) {
    assert.equal(storage.term(entry.index), entry.term);
  }
  const floorTerm = storage.term(first - 1);
  assert.ok(typeof floorTerm === "number", "the floor's term is known");
  return {
    hardState: storage.initialState().hardState,
    floor: first - 1,
    floorTerm,
    mark: storage.snapshot()?.metadata.index ?? -1,
    entries,
    clusterId: wal.clusterId && toHex(wal.clusterId),
  };
}

/** One line that is equal for equal models. */
export function modelText(model: Model): string {
  const entries = model.entries.map(({ type, term, index, data }) =>
    `${index}:${term}:${type}:${toHex(data)}`
  );
  return JSON.stringify({ ...model, entries });
}

/** The model after each prefix of `steps`, the empty one first. */
export function modelsOf(
  founding: SnapshotMetadata,
  steps: readonly Step[],
): Model[] {
  const models = [foundedModel(founding)];
  for (const step of steps) {
    models.push(modelAfter(models[models.length - 1]!, step));
  }
  return models;
}

const CLUSTER = new Uint8Array(16).fill(0x77);

/**
 * A life of a log: appends of one and several entries, conflicts, hard states,
 * marks, compaction, a checkpoint from a leader, frames longer than a segment.
 */
export const SCRIPT: readonly Step[] = [
  append(entriesOf(2, 3, 1), { term: 1, vote: 1, commit: 1 }),
  append(entriesOf(3, 6, 1)),
  { kind: "cluster", id: CLUSTER },
  append([], { term: 1, vote: 1, commit: 5 }),
  append(entriesOf(6, 12, 1, 90)),
  append(entriesOf(8, 10, 2), { term: 2, vote: 0, commit: 7 }),
  append(entriesOf(10, 16, 2, 200), { term: 2, vote: 3, commit: 9 }),
  { kind: "mark", metadata: metadataAt(9, 2) },
  append(entriesOf(16, 26, 2, 120), { term: 2, vote: 3, commit: 15 }),
  { kind: "compact", until: 8 },
  append(entriesOf(26, 27, 3, 5000), { term: 3, vote: 1, commit: 20 }),
  append(entriesOf(27, 33, 3)),
  { kind: "mark", metadata: metadataAt(20, 2) },
  { kind: "compact", until: 20 },
  append(entriesOf(28, 30, 4, 700), { term: 4, vote: 2, commit: 26 }),
  {
    kind: "append",
    batch: {
      snapshot: metadataAt(40, 4),
      entries: entriesOf(41, 44, 5),
      hardState: { term: 5, vote: 0, commit: 42 },
      mustSync: true,
    },
  },
  append(entriesOf(43, 50, 6, 300), { term: 6, vote: 1, commit: 42 }),
  append([], { term: 6, vote: 1, commit: 48 }),
  { kind: "mark", metadata: metadataAt(47, 6) },
  { kind: "compact", until: 45 },
  append(entriesOf(50, 53, 6)),
];

function append(entries: readonly Entry[], hardState?: HardState): Step {
  return { kind: "append", batch: batchOf(entries, hardState) };
}
