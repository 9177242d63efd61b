import assert from "node:assert/strict";
import { concatBytes } from "../../../../src/base/bytes.ts";
import { encodeClock } from "../../../../src/fsm/payload.ts";
import { decodeProposal } from "../../../../src/fsm/proposal.ts";
import type { FsmState } from "../../../../src/fsm/types.ts";
import { RaftUnwrapFailedError } from "../../../../src/node/raft_sealing/errors.ts";
import { OpenAhead } from "../../../../src/node/raft_sealing/open_ahead.ts";
import { RaftOpener } from "../../../../src/node/raft_sealing/opener.ts";
import type { Entry } from "../../../../src/raft/types.ts";
import {
  BOOTSTRAP as KEYS,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  founded,
  RAFT,
  retire,
  rotate,
  stateAfter,
} from "../../fsm/encryption_fixtures.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { dekOf, sealedEntry } from "./sealed_entries.ts";

useTurnCrypto();

const NEXT = 55;
const BEFORE = [KEYS, ENABLE_STORAGE];
const CUT = founded(stateAfter(...BEFORE, ENABLE_RAFT));
const ROTATION = rotate(NEXT, "raft", RAFT);

interface Bench {
  readonly ahead: OpenAhead;
  /** Indexes in the order of their opening. */
  readonly opened: number[];
}

async function open(): Promise<Bench> {
  const opened: number[] = [];
  const deks = new Map([
    [RAFT, await dekOf(RAFT)],
    [NEXT, await dekOf(NEXT)],
  ]);
  const opener = new RaftOpener({
    name: "n1",
    custody: { dek: (keyId) => deks.get(keyId)! },
  });
  const { open } = opener;
  opener.open = function (fsm: FsmState, index, envelope) {
    opened.push(index);
    return open.call(this, fsm, index, envelope);
  };
  return { ahead: new OpenAhead(opener), opened };
}

async function entry(index: number, keyId = RAFT): Promise<Entry> {
  const data = await sealedEntry(0, keyId, encodeClock(index));
  return { type: 0, term: 1, index, data };
}

function payloadOf({ data }: Entry): Uint8Array {
  return decodeProposal(data).payload;
}

Deno.test("OpenAhead opens each entry once, with what waits", async () => {
  const { ahead, opened } = await open();
  const entries = [await entry(4), await entry(5), await entry(6)];
  ahead.begin(CUT, entries);
  ahead.begin(CUT, entries);
  assert.deepEqual(opened, [4, 5, 6]);
  for (const one of entries) {
    const payload = await ahead.open(CUT, one, payloadOf(one));
    assert.deepEqual(payload, encodeClock(one.index));
  }
  assert.deepEqual(opened, [4, 5, 6]);
});

Deno.test("OpenAhead stops before a key that is not there yet", async () => {
  const { ahead, opened } = await open();
  ahead.begin(CUT, [await entry(4), await entry(5, NEXT), await entry(6)]);
  assert.deepEqual(opened, [4]);
});

Deno.test("OpenAhead begins nothing below the cutover, and nothing behind what it cannot read", async () => {
  const { ahead, opened } = await open();
  const low = founded(stateAfter(...BEFORE));
  ahead.begin(low, [await entry(3), await entry(4)]);
  const cut: Entry = { type: 0, term: 1, index: 4, data: Uint8Array.of(9) };
  ahead.begin(CUT, [cut, await entry(5)]);
  assert.deepEqual(opened, []);
  const conf: Entry = { type: 2, term: 1, index: 4, data: Uint8Array.of(9) };
  const none: Entry = { type: 0, term: 1, index: 5, data: new Uint8Array(0) };
  ahead.begin(CUT, [conf, none, await entry(6)]);
  assert.deepEqual(opened, [6], "these are never sealed");
});

Deno.test("OpenAhead is bounded", async () => {
  const { ahead, opened } = await open();
  const many = await Promise.all(
    Array.from({ length: 40 }, (_, i) => entry(4 + i)),
  );
  ahead.begin(CUT, many);
  assert.equal(opened.length, 16);
});

Deno.test("OpenAhead takes nothing that was opened with a key retired since", async () => {
  const { ahead } = await open();
  const one = await entry(6);
  ahead.begin(founded(stateAfter(...BEFORE, ENABLE_RAFT, ROTATION)), [one]);
  const after = founded(
    stateAfter(...BEFORE, ENABLE_RAFT, ROTATION, retire(RAFT)),
  );
  await assert.rejects(
    ahead.open(after, one, payloadOf(one)),
    RaftUnwrapFailedError,
  );
});

Deno.test("OpenAhead tells of what does not open in its turn", async () => {
  const { ahead } = await open();
  const good = await entry(4);
  const data = concatBytes(good.data, Uint8Array.of(0));
  const bad: Entry = { ...good, data };
  ahead.begin(CUT, [bad]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(ahead.failures.size, 0, "it may be judged by another state");
  await assert.rejects(
    ahead.open(CUT, bad, payloadOf(bad)),
    RaftUnwrapFailedError,
  );
  assert.deepEqual([...ahead.failures], [["raft-entry", 1]]);
});
