// Goal: `Core`, which programs drive, sends what `RawNode`, which transcripts
// check, sends: the transcripts then speak for both.
//
// Method: every member of a random group is a pair of the two, fed with the
// same ticks, messages, proposals and answers of their storage. After each
// event both must have sent the same; seeds replay a run.
import { strict as assert } from "node:assert";
import { EMPTY_BYTES, utf8 } from "../../src/base/bytes.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  type ConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  type SingleChange,
  TRANSITION_AUTO,
} from "../../src/raft/conf_change.ts";
import { Core } from "../../src/raft/core.ts";
import { NO_CONFIG } from "../../src/raft/membership.ts";
import {
  draftMessage,
  LOCAL_APPEND_THREAD,
  type Message,
  MSG_PROP,
  MSG_STORAGE_APPEND,
} from "../../src/raft/message.ts";
import { type RaftOptions, raftOptions } from "../../src/raft/options.ts";
import { RawNode } from "../../src/raft/raw_node.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_CONF_CHANGE_V2,
  ENTRY_NORMAL,
  type Snapshot,
} from "../../src/raft/types.ts";
import { Dice } from "../sim/raft/dice.ts";
import { formatMessage } from "./format.ts";
import { MemoryStorage, snapshotOf } from "./memory_storage.ts";

const SEEDS = 100;
const EVENTS = 300;
const IDS = [1, 2, 3, 4];

interface StorageWork {
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | null;
  readonly done: () => readonly Message[];
}

/** One member on one of the two surfaces. */
interface Surface {
  readonly storage: MemoryStorage;
  tick(): void;
  step(message: Message): void;
  read(round: number): void;
  /** Takes out everything; returns what may leave. */
  pump(): readonly Message[];
  readonly writes: StorageWork[];
  readonly applies: (() => void)[];
  state(): SeenState;
}

function rawSurface(options: RaftOptions, storage: MemoryStorage): Surface {
  const raw = new RawNode(options, { asyncStorage: true });
  const writes: StorageWork[] = [];
  const applies: (() => void)[] = [];
  const settle = (responses: readonly Message[]) => {
    const others = responses.filter(({ to }) => to !== options.id);
    for (const response of responses) {
      if (response.to === options.id) raw.step(response);
    }
    return others;
  };
  const addWork = (message: Message) => {
    const { type, entries, snapshot, responses } = message;
    if (type === MSG_STORAGE_APPEND) {
      writes.push({ entries, snapshot, done: () => settle(responses) });
    } else {
      applies.push(() => {
        for (const entry of entries) {
          if (entry.type !== ENTRY_NORMAL) raw.applyConfChange(entry);
        }
        settle(responses);
      });
    }
  };
  return {
    storage,
    writes,
    applies,
    tick: () => raw.tick(),
    step: (message) => void raw.step(message),
    read: (round) => {
      const token = new Uint8Array(8);
      token[0] = round;
      if (raw.state.lead !== 0) raw.readIndex(token);
    },
    pump: () => {
      const sent: Message[] = [];
      while (raw.hasReady()) {
        for (const message of raw.ready().messages) {
          if (message.to <= LOCAL_APPEND_THREAD) addWork(message);
          else sent.push(message);
        }
      }
      return sent;
    },
    state: () => stateOf(raw.state),
  };
}

function coreSurface(options: RaftOptions, storage: MemoryStorage): Surface {
  const core = new Core(options);
  const writes: StorageWork[] = [];
  const applies: (() => void)[] = [];
  return {
    storage,
    writes,
    applies,
    tick: () => core.tick(),
    step: (message) => void core.step(message),
    read: (round) => void core.readIndex(round),
    pump: () => {
      const sent: Message[] = [];
      for (let next = core.pump(); next !== null; next = core.pump()) {
        sent.push(...next.send);
        const { persist, apply } = next;
        if (persist !== undefined) {
          writes.push({
            entries: persist.entries,
            snapshot: persist.snapshot ?? null,
            done: () => {
              core.persisted(persist.seq);
              return persist.afterDurable;
            },
          });
        }
        if (apply !== undefined) applies.push(() => core.applied(apply.seq));
      }
      return sent;
    },
    state: () => stateOf(core.state),
  };
}

interface SeenState {
  readonly term: number;
  readonly vote: number;
  readonly role: string;
  readonly lead: number;
  readonly committed: number;
  readonly applied: number;
  readonly last: readonly [index: number, term: number];
  readonly config: ConfState;
}

function stateOf(state: Core["state"]): SeenState {
  const { term, vote, role, lead, entryLog, membership } = state;
  const { committed, applied } = entryLog;
  const last = [entryLog.lastIndex(), entryLog.lastTerm()] as const;
  const { config } = membership;
  return { term, vote, role, lead, committed, applied, last, config };
}

/** Both surfaces of one member, in step. */
class Pair {
  readonly id: number;
  readonly #surfaces: readonly [Surface, Surface];

  constructor(id: number, given: Partial<RaftOptions>) {
    this.id = id;
    const make = (surface: typeof rawSurface) => {
      const dice = new Dice(`ticks/${id}`);
      const confState = { ...NO_CONFIG, voters: [1, 2, 3] };
      const storage = MemoryStorage.from({ index: 2, term: 1, confState });
      const options = raftOptions({
        ...given,
        id,
        storage,
        applied: 2,
        randomTicks: (count) => dice.below(count),
      });
      return surface(options, storage);
    };
    this.#surfaces = [make(rawSurface), make(coreSurface)];
  }

  /** Does `act` on both and compares; returns what was sent. */
  do(act: (surface: Surface) => void): readonly Message[] {
    const [raw, core] = this.#surfaces.map((surface) => {
      act(surface);
      return this.#settle(surface);
    });
    assert.deepEqual(
      core?.map((message) => formatMessage(message)).sort(),
      raw?.map((message) => formatMessage(message)).sort(),
    );
    const [rawState, coreState] = this.#surfaces.map((side) => side.state());
    assert.deepEqual(coreState, rawState);
    return raw ?? [];
  }

  /** Stores, applies and answers until nothing is left to do. */
  #settle(surface: Surface): readonly Message[] {
    const sent: Message[] = [];
    const { storage, writes, applies } = surface;
    do {
      sent.push(...surface.pump());
      for (const work of writes.splice(0)) {
        if (work.snapshot !== null) storage.applySnapshot(work.snapshot);
        storage.append(work.entries);
        sent.push(...work.done());
      }
      for (const apply of applies.splice(0)) apply();
      sent.push(...surface.pump());
    } while (writes.length > 0 || applies.length > 0);
    return sent;
  }

  /** Takes a checkpoint of what is applied and forgets the log below. */
  compact(): void {
    for (const { storage, state } of this.#surfaces) {
      const { applied: index, config } = state();
      const term = storage.term(index);
      if (typeof term !== "number" || index <= storage.firstIndex()) continue;
      storage.checkpoint = snapshotOf(index, term, config);
      storage.compact(index);
    }
  }
}

function runSeed(seed: number): number {
  const dice = new Dice(`both/${seed}`);
  const options = {
    preVote: dice.chance(0.7),
    checkQuorum: dice.chance(0.7),
    stepDownOnRemoval: dice.chance(0.5),
    messageBytesMax: dice.pick([0, 40, 4_000]),
    inflightCountMax: dice.pick([1, 3, 16]),
    applyBytesMax: dice.pick([1, 60, 4_000]),
    uncommittedBytesMax: dice.pick([30, 4_000]),
  };
  const pairs = IDS.map((id) => new Pair(id, options));
  let net: Message[] = [];
  let count = 0;
  const loss = dice.pick([0, 0.05, 0.2]);
  for (let event = 0; event < EVENTS; event += 1) {
    const pair = dice.pick(pairs);
    const sent: Message[] = [];
    const kind = dice.below(20);
    if (kind < 8) {
      sent.push(...pair.do((side) => side.tick()));
    } else if (kind < 12) {
      const message = proposal(dice, pair.id);
      sent.push(...pair.do((side) => side.step(message)));
    } else if (kind < 13) {
      const round = dice.below(200);
      sent.push(...pair.do((side) => side.read(round)));
    } else if (kind < 14) {
      pair.compact();
    } else {
      const batch = net;
      net = [];
      for (const message of batch) {
        const to = pairs[message.to - 1];
        if (to === undefined || dice.chance(loss)) continue;
        count += 1;
        Object.freeze(message);
        sent.push(...to.do((side) => side.step(message)));
      }
    }
    net.push(...sent);
  }
  return count;
}

/** A proposal as another member forwards it. */
function proposal(dice: Dice, to: number): Message {
  const message = draftMessage(MSG_PROP, to);
  message.from = to % IDS.length + 1;
  const isChange = dice.chance(0.15);
  const type = dice.pick<SingleChange["type"]>([
    CHANGE_ADD_VOTER,
    CHANGE_ADD_LEARNER,
    CHANGE_REMOVE,
  ]);
  const changes = Array.from(
    { length: dice.between(1, 2) },
    () => ({ type, id: dice.pick(IDS) }),
  );
  const change: ConfChange = dice.chance(0.2)
    ? LEAVE_JOINT
    : { transition: TRANSITION_AUTO, changes, context: EMPTY_BYTES };
  const data = isChange
    ? encodeConfChange(change)
    : utf8("x".repeat(dice.below(30)));
  const entryType = isChange ? ENTRY_CONF_CHANGE_V2 : ENTRY_NORMAL;
  message.entries = [{ type: entryType, term: 0, index: 0, data }];
  return message;
}

Deno.test("RawNode and Core send the same for the same events", () => {
  let delivered = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      delivered += runSeed(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  assert.ok(delivered > SEEDS * 50, `${delivered} messages were delivered`);
});
