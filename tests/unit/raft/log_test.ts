import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { encodingSizeOf } from "../../../src/raft/entry_size.ts";
import {
  RaftLogConflictError,
  RaftLogLostError,
} from "../../../src/raft/errors.ts";
import { EntryLog } from "../../../src/raft/log.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  type Entry,
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
  type Term,
} from "../../../src/raft/types.ts";
import {
  entriesOf,
  MemoryStorage,
  snapshotOf,
} from "../../scenario/memory_storage.ts";

const NO_LIMIT = Infinity;

Deno.test("isUpToDate() compares the term first, then the index", () => {
  const log = make({ unstable: [1, 2, 3] });
  const cases: [number, number, boolean][] = [
    [2, 4, true],
    [3, 4, true],
    [4, 4, true],
    [2, 2, false],
    [3, 2, false],
    [4, 2, false],
    [2, 3, false],
    [3, 3, true],
    [4, 3, true],
  ];
  for (const [index, term, want] of cases) {
    assert.equal(log.isUpToDate(index, term), want, `${index}/${term}`);
  }
});

Deno.test("append() replaces from its first entry on", () => {
  const cases = [
    { entries: entriesOf(3), terms: [1, 2], offset: 3 },
    { entries: entriesOf(3, 2), terms: [1, 2, 2], offset: 3 },
    { entries: entriesOf(1, 2), terms: [2], offset: 1 },
    { entries: entriesOf(2, 3, 3), terms: [1, 3, 3], offset: 2 },
  ];
  for (const { entries, terms, offset } of cases) {
    const log = make({ stable: [1, 2] });
    assert.equal(log.append(entries), terms.length);
    assert.deepEqual(termsOf(log), terms);
    assert.equal(log.unstable.offset, offset);
  }
});

Deno.test("append() never replaces what is committed", () => {
  const log = make({ stable: [1, 2], committed: 2 });
  assert.throws(() => log.append(entriesOf(2, 3)), RaftLogConflictError);
  assert.equal(log.append(entriesOf(3, 3)), 3);
});

Deno.test("maybeAppend() checks, appends and commits", () => {
  // The log holds terms 1 2 3 and has committed 1.
  const rows = [
    // Does not match: another term, then beyond the end.
    { index: 3, term: 2, terms: [4], commit: 3, want: -1, committed: 1 },
    { index: 4, term: 4, terms: [4], commit: 3, want: -1, committed: 1 },
    // Matches the last entry; the commit is clamped to what is proven.
    { index: 3, term: 3, terms: [], commit: 3, want: 3, committed: 3 },
    { index: 3, term: 3, terms: [], commit: 4, want: 3, committed: 3 },
    { index: 3, term: 3, terms: [], commit: 2, want: 3, committed: 2 },
    { index: 3, term: 3, terms: [], commit: 0, want: 3, committed: 1 },
    { index: 0, term: 0, terms: [], commit: 3, want: 0, committed: 1 },
    { index: 3, term: 3, terms: [4], commit: 3, want: 4, committed: 3 },
    { index: 3, term: 3, terms: [4], commit: 4, want: 4, committed: 4 },
    { index: 3, term: 3, terms: [4], commit: 5, want: 4, committed: 4 },
    { index: 3, term: 3, terms: [4, 4], commit: 5, want: 5, committed: 5 },
    // Matches in the middle: the tail that differs goes. B17: without new
    // entries the tail may differ too, so it must not commit.
    { index: 2, term: 2, terms: [], commit: 3, want: 2, committed: 2 },
    { index: 1, term: 1, terms: [], commit: 3, want: 1, committed: 1 },
    { index: 2, term: 2, terms: [4], commit: 3, want: 3, committed: 3 },
    { index: 1, term: 1, terms: [4], commit: 3, want: 2, committed: 2 },
    { index: 1, term: 1, terms: [4, 4], commit: 3, want: 3, committed: 3 },
  ];
  for (const row of rows) {
    const log = make({ stable: [1, 2, 3], committed: 1 });
    const entries = entriesOf(row.index + 1, ...row.terms);
    const last = log.maybeAppend(row, entries, row.commit);
    assert.equal(last, row.want, JSON.stringify(row));
    assert.equal(log.committed, row.committed, JSON.stringify(row));
    if (last === -1 || row.terms.length === 0) {
      assert.deepEqual(termsOf(log), [1, 2, 3], JSON.stringify(row));
    } else {
      const kept = [1, 2, 3].slice(0, row.index);
      assert.deepEqual(termsOf(log), [...kept, ...row.terms]);
    }
  }
});

Deno.test("maybeAppend() refuses to change a committed entry", () => {
  const log = make({ stable: [1, 2, 3], committed: 1 });
  assert.throws(
    () => log.maybeAppend({ index: 0, term: 0 }, entriesOf(1, 4), 3),
    RaftLogConflictError,
  );
});

// B19: an old message again must not cut off what came after it.
Deno.test("maybeAppend() truncates only at a real conflict", () => {
  const log = make({ stable: [1, 2, 3], unstable: [3, 3] });
  const last = log.maybeAppend({ index: 1, term: 1 }, entriesOf(2, 2, 3), 1);
  assert.equal(last, 3);
  assert.deepEqual(termsOf(log), [1, 2, 3, 3, 3]);
  assert.equal(log.unstable.offset, 4);
  log.maybeAppend({ index: 1, term: 1 }, entriesOf(2, 2, 3, 3, 4), 1);
  assert.deepEqual(termsOf(log), [1, 2, 3, 3, 4]);
  assert.equal(log.unstable.offset, 4);
});

Deno.test("findConflictByTerm() walks down to a term that may match", () => {
  const cases: {
    compacted?: number;
    terms: Term[];
    index: number;
    term: Term;
    want: [number, Term];
  }[] = [
    { terms: [2, 2, 5, 5, 5], index: 5, term: 5, want: [5, 5] },
    { terms: [2, 2, 5, 5, 5], index: 5, term: 4, want: [2, 2] },
    { terms: [2, 2, 5, 5, 5], index: 4, term: 6, want: [4, 5] },
    { terms: [2, 2, 5, 5, 5], index: 2, term: 1, want: [0, 0] },
    { terms: [1, 2, 3, 4], index: 3, term: 2, want: [2, 2] },
    { terms: [1], index: 0, term: 3, want: [0, 0] },
    // Beyond the end and below the start nothing is known, so all may match.
    { terms: [2, 2], index: 9, term: 1, want: [9, 0] },
    { compacted: 2, terms: [2, 2, 5, 5], index: 4, term: 3, want: [2, 2] },
    { compacted: 2, terms: [2, 2, 5, 5], index: 4, term: 1, want: [1, 0] },
  ];
  for (const { compacted = 0, terms, index, term, want } of cases) {
    const log = make({ stable: terms, compacted });
    const found = log.findConflictByTerm(index, term);
    assert.deepEqual(
      [found.index, found.term],
      want,
      JSON.stringify({ terms, index, term }),
    );
  }
});

Deno.test("commitTo() only moves forward, within the log", () => {
  const log = make({ stable: [1, 2, 3], committed: 2 });
  log.commitTo(1);
  assert.equal(log.committed, 2);
  log.commitTo(3);
  assert.equal(log.committed, 3);
  assert.throws(() => log.commitTo(4), RaftLogLostError);
});

Deno.test("term() is known from before the first entry to the last", () => {
  const log = make({ stable: [1, 1, 2, 2], compacted: 2, unstable: [3, 3] });
  const cases: [number, Term | string][] = [
    [0, "compacted"],
    [1, "compacted"],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [6, 3],
    [7, "unavailable"],
    [Infinity, "unavailable"],
  ];
  for (const [index, want] of cases) assert.equal(log.term(index), want);
  assert.equal(log.termOrZero(1), 0);
  assert.equal(log.termOrZero(7), 0);
});

// The pending checkpoint hides what storage knows below it.
Deno.test("term() stops at a pending checkpoint", () => {
  const log = make({ stable: [1, 1, 1] });
  log.restore(snapshotOf(9, 4, NO_CONFIG));
  assert.equal(log.firstIndex(), 10);
  assert.equal(log.lastIndex(), 9);
  assert.equal(log.lastTerm(), 4);
  assert.equal(log.term(9), 4);
  assert.equal(log.term(8), "compacted");
  assert.equal(log.term(3), "compacted");
  assert.equal(log.committed, 9);
});

Deno.test("slice() reads across stable and unstable entries", () => {
  // Entries 4..9 with four bytes each; 4..6 are stable.
  const terms: Term[] = [1, 1, 1, 4, 5, 6];
  const cases: [number, number, number, number[] | string][] = [
    [3, 5, NO_LIMIT, "compacted"],
    [4, 4, NO_LIMIT, []],
    [4, 7, NO_LIMIT, [4, 5, 6]],
    [4, 10, NO_LIMIT, [4, 5, 6, 7, 8, 9]],
    [6, 8, NO_LIMIT, [6, 7]],
    [7, 10, NO_LIMIT, [7, 8, 9]],
    [8, 9, NO_LIMIT, [8]],
    // At least one entry, and never a byte more than asked for beyond it.
    [4, 10, 0, [4]],
    [4, 10, 8, [4, 5]],
    [4, 10, 11, [4, 5]],
    [4, 10, 12, [4, 5, 6]],
    [4, 10, 15, [4, 5, 6]],
    [4, 10, 16, [4, 5, 6, 7]],
    [4, 10, 20, [4, 5, 6, 7, 8]],
    [6, 10, 7, [6]],
    [6, 10, 8, [6, 7]],
    [7, 10, 0, [7]],
    [7, 10, 8, [7, 8]],
  ];
  for (const [from, until, bytesMax, want] of cases) {
    const log = make({
      stable: [1, 1, 1, ...terms.slice(0, 3)],
      compacted: 3,
      unstable: terms.slice(3),
    });
    const read = log.slice(from, until, bytesMax);
    const shown = typeof read === "string"
      ? read
      : read.map(({ index }) => index);
    assert.deepEqual(shown, want, `${from} ${until} ${bytesMax}`);
  }
});

Deno.test("slice() refuses ranges outside of the log", () => {
  const log = make({ stable: [1, 1] });
  assert.throws(() => log.slice(2, 1, NO_LIMIT), InvariantError);
  assert.throws(() => log.slice(1, 4, NO_LIMIT), InvariantError);
});

Deno.test("hasConfChange() looks at every page", () => {
  for (const type of [ENTRY_CONF_CHANGE_V1, ENTRY_CONF_CHANGE_V2] as const) {
    const log = make({ stable: [1, 1, 1] });
    const [last] = entriesOf(4, 1);
    assert.ok(last);
    log.append([{ ...last, type }]);
    assert.equal(log.hasConfChange(1, 4, 4), false);
    assert.equal(log.hasConfChange(1, 5, 4), true);
    assert.equal(log.hasConfChange(4, 5, 4), true);
    assert.equal(log.hasConfChange(5, 5, 4), false);
  }
  const compacted = make({ stable: [1, 1, 1], compacted: 2 });
  assert.equal(compacted.hasConfChange(2, 4, 4), true, "unknown counts");
});

Deno.test("hasNextCommitted() waits for a pending checkpoint", () => {
  const log = make({ stable: [1, 1, 1] });
  log.restore(snapshotOf(3, 1, NO_CONFIG));
  log.append(entriesOf(4, 1));
  log.commitTo(4);
  assert.equal(log.hasNextCommitted(true), false);
  assert.deepEqual(log.nextCommitted(true), []);
  log.unstable.stableSnapshotTo(3);
  assert.equal(log.hasNextCommitted(true), true);
});

Deno.test("nextCommitted() hands out what is committed and not in the works", () => {
  const rows = [
    // applied, applying, allowUnstable, then the indexes handed out.
    { applied: 3, applying: 3, allow: true, want: [4, 5] },
    { applied: 3, applying: 4, allow: true, want: [5] },
    { applied: 3, applying: 5, allow: true, want: [] },
    { applied: 4, applying: 4, allow: true, want: [5] },
    { applied: 5, applying: 5, allow: true, want: [] },
    { applied: 3, applying: 3, allow: false, want: [4] },
    { applied: 3, applying: 4, allow: false, want: [] },
    { applied: 4, applying: 4, allow: false, want: [] },
  ];
  for (const { applied, applying, allow, want } of rows) {
    // 4 is stable, 5 and 6 are not, 5 is committed.
    const log = make({ stable: [1, 1, 1, 1], compacted: 3, unstable: [1, 1] });
    log.commitTo(5);
    log.appliedTo(applied, 0);
    log.acceptApplying(applying, 0, allow);
    // Cut short batches pause until they are applied; that is not asked here.
    log.appliedTo(applied, 0);
    const shown = indexes(log.nextCommitted(allow));
    assert.deepEqual(shown, want, JSON.stringify({ applied, applying, allow }));
    assert.equal(log.hasNextCommitted(allow), want.length > 0);
  }
});

Deno.test("acceptApplying() pauses at the budget and after a cut", () => {
  // Four bytes each; the budget is 100.
  const rows = [
    { index: 3, bytes: 99, allow: true, paused: true },
    { index: 3, bytes: 99, allow: false, paused: true },
    { index: 4, bytes: 99, allow: true, paused: true },
    { index: 4, bytes: 99, allow: false, paused: false },
    { index: 5, bytes: 99, allow: true, paused: false },
    { index: 5, bytes: 99, allow: false, paused: false },
    { index: 5, bytes: 100, allow: true, paused: true },
    { index: 5, bytes: 101, allow: true, paused: true },
    { index: 4, bytes: 100, allow: false, paused: true },
  ];
  for (const { index, bytes, allow, paused } of rows) {
    const storage = new MemoryStorage();
    storage.append(entriesOf(1, 1, 1, 1, 1));
    storage.compact(3);
    const log = new EntryLog(storage, 100, null);
    log.append(entriesOf(5, 1, 1));
    log.commitTo(5);
    log.acceptApplying(index, bytes, allow);
    // One more committed entry would be handed out unless paused.
    storage.append(entriesOf(5, 1, 1));
    log.unstable.stableTo(6, 1);
    log.commitTo(6);
    assert.equal(
      log.hasNextCommitted(allow),
      !paused,
      JSON.stringify({ index, bytes, allow }),
    );
  }
});

Deno.test("appliedTo() returns bytes and resumes below the budget", () => {
  const rows = [
    { index: 4, bytes: 4, resumed: true },
    { index: 4, bytes: 5, resumed: true },
    { index: 5, bytes: 10, resumed: true },
    { index: 4, bytes: 0, resumed: false },
    { index: 4, bytes: 3, resumed: false },
  ];
  for (const { index, bytes, resumed } of rows) {
    const log = make({ stable: [1, 1, 1, 1, 1, 1], applyBytesMax: 100 });
    log.commitTo(6);
    log.acceptApplying(5, 103, true);
    log.appliedTo(index, bytes);
    assert.equal(log.hasNextCommitted(true), resumed, `${index} ${bytes}`);
    assert.equal(log.applied, index);
    assert.equal(log.applying, 5);
  }
});

Deno.test("nextCommitted() counts outstanding batches against the budget", () => {
  const log = make({ stable: [1, 1, 1, 1, 1], applyBytesMax: 12 });
  log.commitTo(5);
  const first = take(log.nextCommitted(false));
  assert.deepEqual(indexes(first), [1, 2, 3]);
  log.acceptApplying(3, encodingSizeOf(first), false);
  assert.deepEqual(log.nextCommitted(false), [], "the budget is used up");
  log.appliedTo(2, 8);
  assert.deepEqual(indexes(log.nextCommitted(false)), [4, 5]);
});

Deno.test("appliedTo() refuses to go back or beyond the commit", () => {
  const log = make({ stable: [1, 1, 1], committed: 2 });
  log.appliedTo(1, 0);
  assert.throws(() => log.appliedTo(0, 0), InvariantError);
  assert.throws(() => log.appliedTo(3, 0), InvariantError);
  assert.throws(() => log.acceptApplying(3, 0, true), InvariantError);
});

Deno.test("EntryLog starts where its storage starts", () => {
  const storage = new MemoryStorage();
  storage.append(entriesOf(1, 1, 2, 3, 4));
  storage.compact(2);
  const log = new EntryLog(storage, 1, null);
  assert.equal(log.firstIndex(), 3);
  assert.equal(log.lastIndex(), 4);
  assert.deepEqual([log.applied, log.applying, log.committed], [2, 2, 2]);
  assert.equal(log.unstable.offset, 5);
  assert.equal(log.unstable.offsetInProgress, 5);
});

Deno.test("entries() reads up to the end", () => {
  const log = make({ stable: [1, 1], unstable: [2] });
  assert.deepEqual(indexes(log.entries(2, NO_LIMIT)), [2, 3]);
  assert.deepEqual(log.entries(4, NO_LIMIT), []);
  const compacted = make({ stable: [1, 1], compacted: 1 });
  assert.equal(compacted.entries(1, NO_LIMIT), "compacted");
});

interface Given {
  readonly stable?: readonly Term[];
  readonly compacted?: number;
  readonly unstable?: readonly Term[];
  readonly committed?: number;
  readonly applyBytesMax?: number;
}

function make(given: Given): EntryLog {
  const { stable = [], compacted = 0, unstable = [] } = given;
  const storage = new MemoryStorage();
  storage.append(entriesOf(1, ...stable));
  if (compacted > 0) storage.compact(compacted);
  const log = new EntryLog(storage, given.applyBytesMax ?? NO_LIMIT, null);
  log.append(entriesOf(stable.length + 1, ...unstable));
  log.commitTo(given.committed ?? 0);
  return log;
}

function termsOf(log: EntryLog): readonly Term[] {
  return take(log.slice(1, log.lastIndex() + 1, NO_LIMIT))
    .map(({ term }) => term);
}

function indexes(read: readonly Entry[] | string): readonly number[] {
  return take(read).map(({ index }) => index);
}

function take(read: readonly Entry[] | string): readonly Entry[] {
  assert.notEqual(typeof read, "string", `${read}`);
  return read as readonly Entry[];
}
