import { strict as assert } from "node:assert";
import { utf8 } from "../../../src/base/bytes.ts";
import { Core, type Effects } from "../../../src/raft/core.ts";
import { raftOptions } from "../../../src/raft/options.ts";
import type { Entry } from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";

const LONE = {
  voters: [1],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

interface Driven {
  readonly core: Core;
  readonly storage: MemoryStorage;
  readonly applied: Entry[];
  readonly seen: Effects[];
}

function startLone(): Driven {
  const storage = MemoryStorage.from({ index: 2, term: 1, confState: LONE });
  const core = new Core(raftOptions({
    id: 1,
    storage,
    applied: 2,
    randomTicks: () => 0,
  }));
  return { core, storage, applied: [], seen: [] };
}

/** Carries out everything at once. */
function drive({ core, storage, applied, seen }: Driven): void {
  for (let next = core.pump(); next !== null; next = core.pump()) {
    seen.push(next);
    if (next.persist !== undefined) {
      storage.append(next.persist.entries);
      if (next.persist.hardState !== undefined) {
        storage.hardState = next.persist.hardState;
      }
      core.persisted(next.persist.seq);
    }
    if (next.apply !== undefined) {
      applied.push(...next.apply.entries);
      core.applied(next.apply.seq);
    }
  }
}

Deno.test("Core elects a lone voter, commits and answers reads", () => {
  const driven = startLone();
  const { core } = driven;
  assert.equal(core.propose(utf8("too early")), false);
  for (let i = 0; i < 10; i += 1) core.tick();
  drive(driven);
  assert.equal(core.status().role, "leader");
  assert.equal(core.propose(utf8("a")), true);
  assert.equal(core.propose(utf8("b")), true);
  drive(driven);
  const { committed, applied, lastIndex, term } = core.status();
  assert.deepEqual([committed, applied, lastIndex, term], [5, 5, 5, 1]);
  assert.deepEqual(
    driven.applied.map(({ index, data }) => [index, data]),
    [[3, new Uint8Array()], [4, utf8("a")], [5, utf8("b")]],
  );
  core.readIndex(7);
  const effects = core.pump();
  assert.deepEqual(effects?.reads, [{ round: 7, index: 5 }]);
});
