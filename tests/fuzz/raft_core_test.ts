import { strict as assert } from "node:assert";
import fc from "fast-check";
import { NodeError } from "../../src/base/error.ts";
import {
  CAMPAIGN_TRANSFER,
  draftMessage,
  type Message,
  MSG_PRE_VOTE_RESP,
  MSG_VOTE_RESP,
} from "../../src/raft/message.ts";
import { Core } from "../../src/raft/core.ts";
import { NO_CONFIG } from "../../src/raft/membership.ts";
import { raftOptions } from "../../src/raft/options.ts";
import { encodePosition } from "../../src/raft/read_queue.ts";
import type { Entry, Snapshot } from "../../src/raft/types.ts";
import { MemoryStorage, snapshotOf } from "../scenario/memory_storage.ts";

const small = fc.nat(6);
const id = fc.integer({ min: -3, max: 5 });
const ids = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 4 });

const entry: fc.Arbitrary<Entry> = fc.record({
  type: fc.constantFrom(0, 0, 0, 1, 2),
  term: small,
  index: small,
  data: fc.uint8Array({ maxLength: 12 }),
});

/** Entries that follow (index, term) often enough. */
const entries = fc.oneof(
  fc.array(entry, { maxLength: 3 }),
  fc.tuple(small, small, fc.nat(3)).map(([index, term, count]) =>
    Array.from({ length: count }, (_, nth): Entry => ({
      type: 0,
      term,
      index: index + 1 + nth,
      data: new Uint8Array(nth),
    }))
  ),
);

const snapshot: fc.Arbitrary<Snapshot> = fc.tuple(small, small, ids, ids)
  .map(([index, term, voters, others]) =>
    snapshotOf(index, term, {
      ...NO_CONFIG,
      voters: voters.sort(),
      learners: others.filter((one) => !voters.includes(one)).sort(),
    })
  );

const message: fc.Arbitrary<Message> = fc.record({
  type: fc.nat(25),
  to: fc.constant(1),
  from: id,
  term: small,
  logTerm: small,
  index: small,
  entries,
  commit: small,
  vote: small,
  snapshot: fc.option(snapshot),
  reject: fc.boolean(),
  rejectHint: small,
  context: fc.oneof(
    fc.constant(new Uint8Array()),
    fc.constant(CAMPAIGN_TRANSFER),
    fc.nat(3).map(encodePosition),
    fc.uint8Array({ maxLength: 9 }),
  ),
  responses: fc.constant([]),
});

type Action =
  | "tick"
  | "pump"
  | "campaign"
  | "elect"
  | "propose"
  | "read"
  | Message
  | { readonly fitted: Message };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: message },
  { weight: 4, arbitrary: message.map((fitted) => ({ fitted })) },
  { weight: 3, arbitrary: fc.constant("pump" as const) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Action>(
      "tick",
      "campaign",
      "elect",
      "propose",
      "read",
    ),
  },
);

// A peer may be of another release, or lie: that must never look like a
// mistake of this program.
Deno.test("Core survives any messages, or stops for a named reason", () => {
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 40 }),
      fc.boolean(),
      (actions, strict) => {
        const storage = MemoryStorage.from({
          confState: { ...NO_CONFIG, voters: [1, 2, 3], learners: [4] },
        });
        const core = new Core(raftOptions({
          id: 1,
          storage,
          electionTicks: 3,
          preVote: strict,
          checkQuorum: strict,
          randomTicks: () => 0,
        }));
        try {
          for (const one of actions) act(core, storage, one);
        } catch (error) {
          assert.ok(error instanceof NodeError, `${(error as Error).stack}`);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

function act(core: Core, storage: MemoryStorage, one: Action): void {
  if (typeof one !== "string") {
    core.step("fitted" in one ? fit(core, one.fitted) : one);
  } else if (one === "tick") core.tick();
  else if (one === "campaign") core.campaign();
  else if (one === "elect") elect(core, storage);
  else if (one === "propose") core.propose(new Uint8Array([1]));
  else if (one === "read") core.readIndex(7);
  else pumpAll(core, storage);
}

/** The message as a member of the same term and a similar log sends it. */
function fit({ state }: Core, message: Message): Message {
  const { entryLog, term } = state;
  const index = Math.max(0, entryLog.lastIndex() - message.index % 3);
  const isRequest = message.term === 0;
  return {
    ...message,
    term: isRequest ? 0 : term + Math.floor(message.term / 6),
    index,
    logTerm: entryLog.termOrZero(index),
    commit: Math.min(message.commit, index),
    entries: message.entries.map((entry, nth) => ({
      ...entry,
      index: isRequest ? 0 : index + 1 + nth,
      term: isRequest ? 0 : term,
    })),
  };
}

/** Lets both others vote for the member. */
function elect(core: Core, storage: MemoryStorage): void {
  core.campaign();
  pumpAll(core, storage);
  for (const type of [MSG_PRE_VOTE_RESP, MSG_VOTE_RESP]) {
    for (const from of [2, 3]) {
      const { role, term } = core.state;
      const asked = role === "pre-candidate" ? term + 1 : term;
      core.step({ ...draftMessage(type, 1), from, term: asked });
    }
    pumpAll(core, storage);
  }
}

function pumpAll(core: Core, storage: MemoryStorage): void {
  for (let effects = core.pump(); effects !== null; effects = core.pump()) {
    const { persist, apply } = effects;
    if (persist !== undefined) {
      if (persist.hardState) storage.hardState = persist.hardState;
      if (persist.snapshot) storage.applySnapshot(persist.snapshot);
      storage.append(persist.entries);
      core.persisted(persist.seq);
    }
    if (apply !== undefined) core.applied(apply.seq);
  }
}
