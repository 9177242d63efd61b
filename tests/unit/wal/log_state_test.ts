import assert from "node:assert/strict";
import { entriesOf, entryAt, metadataAt } from "../../sim/wal_model.ts";
import { foundedState } from "./states.ts";

/** Founded at 3 in term 2, entries up to 9 of term 2, commit 5. */
function stateAt9() {
  const state = foundedState(3, 2);
  for (const entry of entriesOf(4, 10, 2)) {
    assert.equal(state.acceptEntry(entry), null);
  }
  const hardState = { term: 4, vote: 1, commit: 5 };
  assert.equal(state.acceptHardState(hardState), null);
  return state;
}

Deno.test("LogState.acceptEntry() takes the next entry or replaces a tail", () => {
  const cases: [index: number, term: number, rule: RegExp | null][] = [
    [10, 2, null],
    [10, 3, null],
    [7, 3, null],
    [6, 2, null],
    [11, 3, /entry 11 follows entry 9/],
    [5, 3, /replaces a committed one/],
    [10, 1, /term 1 follows one of term 2/],
  ];
  for (const [index, term, rule] of cases) {
    const state = stateAt9();
    const broken = state.acceptEntry(entryAt(index, term));
    if (rule === null) {
      assert.equal(broken, null);
      assert.equal(state.lastIndex, index);
      assert.equal(state.lastTerm, term);
      assert.equal(state.termAt(index + 1), null);
    } else {
      assert.match(broken ?? "", rule);
    }
  }
});

Deno.test("LogState.acceptHardState() never goes back", () => {
  const cases: [
    term: number,
    vote: number,
    commit: number,
    rule: RegExp | null,
  ][] = [
    [4, 1, 5, null],
    [4, 1, 9, null],
    [5, 2, 5, null],
    [3, 1, 5, /term goes back/],
    [4, 2, 5, /vote of term 4 changes/],
    [4, 0, 5, /vote of term 4 changes/],
    [4, 1, 4, /commit goes back/],
    [4, 1, 10, /commit 10 is above entry 9/],
  ];
  for (const [term, vote, commit, rule] of cases) {
    const broken = stateAt9().acceptHardState({ term, vote, commit });
    if (rule === null) assert.equal(broken, null);
    else assert.match(broken ?? "", rule);
  }
});

Deno.test("LogState.acceptMark() follows the log, or restarts it", () => {
  const mark = (index: number, term: number, install = false) => ({
    install,
    metadata: metadataAt(index, term),
  });
  const state = stateAt9();
  assert.match(state.acceptMark(mark(2, 2)) ?? "", /mark goes back/);
  assert.match(state.acceptMark(mark(10, 2)) ?? "", /above entry 9/);
  assert.match(state.acceptMark(mark(7, 3)) ?? "", /names term 3/);
  assert.equal(state.acceptMark(mark(7, 2)), null);
  assert.equal(state.hardState.commit, 7);
  assert.equal(state.lastIndex, 9);
  assert.match(state.acceptMark(mark(7, 2, true)) ?? "null", /null/);
  assert.equal(state.lastIndex, 7);
  assert.equal(state.acceptMark(mark(20, 3, true)), null);
  assert.deepEqual(state.floor, { index: 20, term: 3 });
  assert.equal(state.lastIndex, 20);
  assert.equal(state.hardState.commit, 20);
});

Deno.test("LogState.acceptMark() refuses a checkpoint below commit", () => {
  const install = { install: true, metadata: metadataAt(4, 2) };
  assert.match(stateAt9().acceptMark(install) ?? "", /below commit/);
});

Deno.test("LogState.acceptFloor() stays at or below the mark", () => {
  const state = stateAt9();
  assert.equal(
    state.acceptMark({ install: false, metadata: metadataAt(7, 2) }),
    null,
  );
  assert.match(
    state.acceptFloor({ index: 8, term: 2 }) ?? "",
    /above the mark/,
  );
  assert.match(state.acceptFloor({ index: 6, term: 9 }) ?? "", /names term 9/);
  assert.equal(state.acceptFloor({ index: 6, term: 2 }), null);
  assert.equal(state.knownFrom, 6);
  assert.equal(state.termAt(5), null);
  assert.match(state.acceptFloor({ index: 5, term: 2 }) ?? "", /goes back/);
});

Deno.test("LogState.acceptFrameEnd() wants a term for every entry", () => {
  const state = stateAt9();
  assert.equal(state.acceptFrameEnd(), null);
  assert.equal(state.acceptEntry(entryAt(10, 5)), null);
  assert.match(state.acceptFrameEnd() ?? "", /above term 4/);
});

Deno.test("LogState.clone() is apart", () => {
  const state = stateAt9();
  const copy = state.clone();
  assert.equal(copy.acceptEntry(entryAt(6, 3)), null);
  assert.equal(state.lastIndex, 9);
  assert.equal(copy.lastIndex, 6);
});
