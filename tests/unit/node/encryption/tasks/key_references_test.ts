import assert from "node:assert/strict";
import { encodeClock } from "../../../../../src/fsm/payload.ts";
import { encodeProposal } from "../../../../../src/fsm/proposal.ts";
import {
  findKeyReferences,
  type ReferenceSearch,
} from "../../../../../src/node/encryption/tasks/key_references.ts";
import { type Entry, ENTRY_NORMAL } from "../../../../../src/raft/types.ts";
import { WalCompactedError } from "../../../../../src/wal/errors.ts";
import type { Wal } from "../../../../../src/wal/wal.ts";
import { useTurnCrypto } from "../../../../sim/io/subtle.ts";
import { sealedEntry } from "../../raft_sealing/sealed_entries.ts";

useTurnCrypto();

const OLD = 10;
const NEXT = 55;

type Log = Pick<Wal, "storage" | "fetch">;

/** Entries from `first` on; each run has two. */
class FakeLog {
  first: number;
  readonly entries: Entry[];
  /** Called before each run is given. */
  onFetch: () => void = () => {};

  constructor(first: number, data: readonly Uint8Array[]) {
    this.first = first;
    this.entries = data.map((bytes, i) => ({
      ...{ type: ENTRY_NORMAL, term: 1, index: first + i },
      data: bytes as Entry["data"],
    }));
  }

  get lastIndex(): number {
    return this.entries.at(-1)?.index ?? this.first - 1;
  }

  port(): Log {
    const storage = {
      firstIndex: () => this.first,
      lastIndex: () => this.lastIndex,
    } as Log["storage"];
    return {
      storage,
      fetch: (from, until) => {
        this.onFetch();
        if (from < this.first) {
          return Promise.reject(new WalCompactedError(from, this.first));
        }
        const run = this.entries.filter(({ index }) =>
          index >= from && index < until
        );
        return Promise.resolve(run.slice(0, 2));
      },
    };
  }
}

const clear = encodeProposal(1, encodeClock(5));

function sealed(keyId: number): Promise<Uint8Array> {
  return sealedEntry(1, keyId, encodeClock(5));
}

function search(given: Partial<ReferenceSearch> = {}): ReferenceSearch {
  return {
    keyId: OLD,
    raftCutoverIndex: 4,
    isOver: () => false,
    onProgress: () => {},
    ...given,
  };
}

Deno.test("entries under a key are counted, and the last one named", async () => {
  const log = new FakeLog(5, [
    await sealed(OLD),
    await sealed(NEXT),
    clear,
    new Uint8Array(0),
    await sealed(OLD),
    await sealed(NEXT),
  ]);
  const told: number[] = [];
  const onProgress = (entries: number) => void told.push(entries);
  const found = await findKeyReferences(log.port(), search({ onProgress }));
  assert.deepEqual(found, { entries: 2, lastIndex: 9 });
  assert.deepEqual(told, [2, 4, 6]);
  const none = await findKeyReferences(log.port(), search({ keyId: 77 }));
  assert.deepEqual(none, { entries: 0, lastIndex: 0 });
});

Deno.test("what is below the cutover is no envelope, whatever it looks like", async () => {
  const log = new FakeLog(2, [await sealed(OLD), await sealed(OLD), clear]);
  const found = await findKeyReferences(log.port(), search());
  assert.deepEqual(found, { entries: 0, lastIndex: 0 });
});

Deno.test("bytes that are no proposal, and changes of members, have no key", async () => {
  const log = new FakeLog(5, [Uint8Array.of(1, 2), await sealed(OLD)]);
  log.entries[1] = { ...log.entries[1]!, type: 2 };
  const found = await findKeyReferences(log.port(), search());
  assert.equal(found.entries, 0);
});

Deno.test("a log that is compacted meanwhile is looked at from where it begins", async () => {
  const data = [1, 2, 3, 4].map(() => sealed(OLD));
  const log = new FakeLog(5, await Promise.all(data));
  let calls = 0;
  log.onFetch = () => {
    calls += 1;
    if (calls !== 2) return;
    log.first = 8;
    log.entries.splice(0, 3);
  };
  const found = await findKeyReferences(log.port(), search());
  assert.deepEqual(found, { entries: 3, lastIndex: 8 });
});

Deno.test("a log whose end is cut off meanwhile ends the search", async () => {
  const log = new FakeLog(5, [clear, clear, await sealed(OLD)]);
  log.onFetch = () => void log.entries.splice(2);
  const found = await findKeyReferences(log.port(), search());
  assert.deepEqual(found, { entries: 0, lastIndex: 0 });
});

Deno.test("a search that nobody wants any more ends, and a fault is thrown", async () => {
  const log = new FakeLog(5, [clear, clear, clear, await sealed(OLD)]);
  let isOver = false;
  const found = await findKeyReferences(
    log.port(),
    search({ isOver: () => isOver, onProgress: () => isOver = true }),
  );
  assert.equal(found.entries, 0);
  const fault = new Error("unreadable");
  const port = { ...log.port(), fetch: () => Promise.reject(fault) };
  await assert.rejects(findKeyReferences(port, search()), fault);
});
