import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import type { Entry, Term } from "../../../src/raft/types.ts";
import { Unstable } from "../../../src/raft/unstable.ts";
import { entriesOf, snapshotOf } from "../../scenario/memory_storage.ts";

const CHECKPOINT = snapshotOf(4, 1, NO_CONFIG);

interface Given {
  readonly offset: number;
  readonly terms?: readonly Term[];
  readonly snapshot?: boolean;
  /** Everything was handed out. */
  readonly accepted?: boolean;
}

Deno.test("Unstable knows its first index only by its checkpoint", () => {
  assert.equal(make({ offset: 5, terms: [1] }).firstIndex(), 0);
  assert.equal(make({ offset: 0 }).firstIndex(), 0);
  assert.equal(make({ offset: 5, terms: [1], snapshot: true }).firstIndex(), 5);
  assert.equal(make({ offset: 5, snapshot: true }).firstIndex(), 5);
});

Deno.test("Unstable knows its last index by entries, then checkpoint", () => {
  assert.equal(make({ offset: 5, terms: [1, 1] }).lastIndex(), 6);
  assert.equal(make({ offset: 5, terms: [1], snapshot: true }).lastIndex(), 5);
  assert.equal(make({ offset: 5, snapshot: true }).lastIndex(), 4);
  assert.equal(make({ offset: 5 }).lastIndex(), 0);
});

Deno.test("term() answers for what is held", () => {
  const cases: { given: Given; index: number; want: number }[] = [
    { given: { offset: 5, terms: [1] }, index: 5, want: 1 },
    { given: { offset: 5, terms: [1] }, index: 6, want: -1 },
    { given: { offset: 5, terms: [1] }, index: 4, want: -1 },
    { given: { offset: 5, terms: [1], snapshot: true }, index: 4, want: 1 },
    { given: { offset: 5, terms: [1], snapshot: true }, index: 3, want: -1 },
    { given: { offset: 5, snapshot: true }, index: 5, want: -1 },
    { given: { offset: 5, snapshot: true }, index: 4, want: 1 },
    { given: { offset: 0 }, index: 5, want: -1 },
  ];
  for (const { given, index, want } of cases) {
    assert.equal(make(given).term(index), want, JSON.stringify(given));
  }
});

Deno.test("restore() leaves only the checkpoint", () => {
  const unstable = make({ offset: 5, terms: [1], accepted: true });
  unstable.restore(snapshotOf(6, 2, NO_CONFIG));
  assert.equal(unstable.offset, 7);
  assert.equal(unstable.offsetInProgress, 7);
  assert.equal(unstable.length, 0);
  assert.equal(unstable.nextSnapshot()?.metadata.index, 6);
});

Deno.test("nextEntries() gives each entry out once", () => {
  const unstable = make({ offset: 5, terms: [1, 1] });
  assert.deepEqual(places(unstable.nextEntries()), ["5/1", "6/1"]);
  unstable.acceptInProgress();
  assert.equal(unstable.hasNextEntries(), false);
  assert.deepEqual(unstable.nextEntries(), []);
  unstable.append(entriesOf(7, 1));
  assert.equal(unstable.hasNextEntries(), true);
  assert.deepEqual(places(unstable.nextEntries()), ["7/1"]);
});

Deno.test("nextSnapshot() gives the checkpoint out once", () => {
  const unstable = make({ offset: 5, snapshot: true });
  assert.equal(unstable.nextSnapshot()?.metadata.index, 4);
  unstable.acceptInProgress();
  assert.equal(unstable.nextSnapshot(), null);
  unstable.stableSnapshotTo(3);
  assert.equal(unstable.snapshot?.metadata.index, 4, "another one");
  unstable.stableSnapshotTo(4);
  assert.equal(unstable.snapshot, null);
});

// B48: the newest wins; the answer about the older one changes nothing.
Deno.test("stableSnapshotTo() ignores a checkpoint that was replaced", () => {
  const unstable = make({ offset: 5, snapshot: true, accepted: true });
  unstable.restore(snapshotOf(9, 2, NO_CONFIG));
  assert.equal(unstable.nextSnapshot()?.metadata.index, 9);
  unstable.acceptInProgress();
  unstable.stableSnapshotTo(4);
  assert.equal(unstable.snapshot?.metadata.index, 9);
});

Deno.test("append() continues, replaces or truncates", () => {
  const cases = [
    // Continues.
    {
      given: { offset: 5, terms: [1], accepted: true },
      entries: entriesOf(6, 1, 1),
      want: { offset: 5, inProgress: 6, held: ["5/1", "6/1", "7/1"] },
    },
    // Replaces at and before the offset: all of it has to be written again.
    {
      given: { offset: 5, terms: [1], accepted: true },
      entries: entriesOf(5, 2, 2),
      want: { offset: 5, inProgress: 5, held: ["5/2", "6/2"] },
    },
    {
      given: { offset: 5, terms: [1, 1], accepted: true },
      entries: entriesOf(4, 2, 2, 2),
      want: { offset: 4, inProgress: 4, held: ["4/2", "5/2", "6/2"] },
    },
    // Truncates: what was handed out below the cut stays handed out.
    {
      given: { offset: 5, terms: [1, 1, 1], accepted: true },
      entries: entriesOf(6, 2),
      want: { offset: 5, inProgress: 6, held: ["5/1", "6/2"] },
    },
    {
      given: { offset: 5, terms: [1, 1, 1] },
      entries: entriesOf(7, 2, 2),
      want: { offset: 5, inProgress: 5, held: ["5/1", "6/1", "7/2", "8/2"] },
    },
  ];
  for (const { given, entries, want } of cases) {
    const unstable = make(given);
    unstable.append(entries);
    assert.equal(unstable.offset, want.offset);
    assert.equal(unstable.offsetInProgress, want.inProgress);
    const { offset, length } = unstable;
    assert.deepEqual(
      places(unstable.slice(offset, offset + length)),
      want.held,
    );
  }
});

Deno.test("append() refuses a gap", () => {
  const unstable = make({ offset: 5, terms: [1] });
  assert.throws(() => unstable.append(entriesOf(7, 1)), InvariantError);
});

Deno.test("append() leaves what was handed out as it was", () => {
  const unstable = make({ offset: 5, terms: [1, 1] });
  const given = unstable.nextEntries();
  const read = unstable.slice(5, 7);
  unstable.append(entriesOf(6, 2));
  unstable.append(entriesOf(5, 3));
  assert.deepEqual(places(given), ["5/1", "6/1"]);
  assert.deepEqual(places(read), ["5/1", "6/1"]);
});

Deno.test("stableTo() drops exactly what became durable", () => {
  const cases: [Given, number, Term, number, number][] = [
    // given, index, term, then offset and number of entries.
    [{ offset: 0 }, 5, 1, 0, 0],
    [{ offset: 5, terms: [1], accepted: true }, 5, 1, 6, 0],
    [{ offset: 5, terms: [1, 1], accepted: true }, 5, 1, 6, 1],
    [{ offset: 6, terms: [2], accepted: true }, 6, 1, 6, 1],
    [{ offset: 5, terms: [1], accepted: true }, 4, 1, 5, 1],
    [{ offset: 5, terms: [1], accepted: true }, 6, 1, 5, 1],
    // Not even when the checkpoint's own index is meant.
    [{ offset: 5, terms: [1], snapshot: true }, 4, 1, 5, 1],
    [{ offset: 5, terms: [1, 1], snapshot: true }, 5, 1, 6, 1],
  ];
  for (const [given, index, term, offset, length] of cases) {
    const unstable = make(given);
    unstable.stableTo(index, term);
    assert.equal(unstable.offset, offset, JSON.stringify(given));
    assert.equal(unstable.length, length, JSON.stringify(given));
    assert.ok(unstable.offsetInProgress >= offset);
  }
});

function make(given: Given): Unstable {
  const unstable = new Unstable(given.offset, null);
  if (given.snapshot) unstable.restore(CHECKPOINT);
  if (given.terms) unstable.append(entriesOf(given.offset, ...given.terms));
  if (given.accepted) unstable.acceptInProgress();
  return unstable;
}

function places(entries: readonly Entry[]): readonly string[] {
  return entries.map(({ index, term }) => `${index}/${term}`);
}
