import { present } from "../../src/base/assert.ts";
import { concatBytes, EMPTY_BYTES } from "../../src/base/bytes.ts";
import { decodeConfChange } from "../../src/raft/conf_change.ts";
import { NO_CONFIG } from "../../src/raft/membership.ts";
import {
  isLocalThread,
  LOCAL_APPEND_THREAD,
  type Message,
} from "../../src/raft/message.ts";
import { type RaftOptions, raftOptions } from "../../src/raft/options.ts";
import type { RaftLog } from "../../src/raft/port.ts";
import { RawNode, type StepRefusal } from "../../src/raft/raw_node.ts";
import type { Role } from "../../src/raft/state.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type HardState,
  type RaftId,
  type Snapshot,
} from "../../src/raft/types.ts";
import {
  formatEntry,
  formatMessage,
  formatReady,
  formatSoftState,
  indentLines,
} from "./format.ts";
import { MemoryStorage } from "./memory_storage.ts";

const REFUSALS: Readonly<Record<StepRefusal, string>> = {
  "proposal-dropped": "raft proposal dropped",
  "local-message": "raft: cannot step raft local message",
  "unknown-peer": "raft: cannot step as peer not found",
  "malformed-message": "raft: cannot step malformed message",
};

export const STATE_NAMES: Readonly<Record<Role, string>> = {
  follower: "StateFollower",
  candidate: "StateCandidate",
  leader: "StateLeader",
  "pre-candidate": "StatePreCandidate",
};

const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"];
const LEVEL_NONE = 5;

/** What a command prints instead of its own output. */
export class CommandError extends Error {}

/** Collects what one directive prints; event lines below a level are left out. */
export class Output implements RaftLog {
  level = 0;
  text = "";

  readonly debug = (text: string) => this.#line(0, text);
  readonly info = (text: string) => this.#line(1, text);
  readonly warn = (text: string) => this.#line(2, text);
  readonly error = (text: string) => this.#line(3, text);

  get isQuiet(): boolean {
    return this.level === LEVEL_NONE;
  }

  write(text: string): void {
    if (!this.isQuiet) this.text += text;
  }

  setLevel(name: string): void {
    const level = LEVELS.indexOf(name.toUpperCase());
    if (level < 0) {
      throw new CommandError(
        `log levels must be either of [${LEVELS.join(" ")}]`,
      );
    }
    this.level = level;
  }

  /** Runs `print`, with two spaces before each line it prints. */
  indent(print: () => void): void {
    const outer = this.text;
    this.text = "";
    try {
      print();
    } finally {
      this.text = outer + indentLines(this.text);
    }
  }

  #line(level: number, text: string): void {
    if (level >= this.level) this.write(`${LEVELS[level]} ${text}\n`);
  }
}

/** A stable log whose checkpoint is what the node has applied. */
class HistoryStorage extends MemoryStorage {
  readonly history: Snapshot[] = [];

  override snapshot(): Snapshot | null {
    return this.history.at(-1) ?? null;
  }
}

export interface NodeTemplate {
  readonly snapshot: Snapshot | null;
  readonly asyncStorage: boolean;
  readonly options: Partial<RaftOptions>;
}

/** One node with its storage and what its threads still have to do. */
export interface TestNode {
  readonly id: RaftId;
  readonly raw: RawNode;
  readonly storage: HistoryStorage;
  readonly asyncStorage: boolean;
  readonly appendWork: Message[];
  readonly applyWork: Message[];
}

/** Several nodes, one list of messages on their way, and what was printed. */
export class InteractionEnv {
  readonly output = new Output();
  readonly nodes: TestNode[] = [];
  messages: Message[] = [];

  node(id: RaftId): TestNode {
    return present(this.nodes[id - 1], `node ${id}`);
  }

  addNodes(count: number, template: NodeTemplate): void {
    const { snapshot } = template;
    if (snapshot !== null && snapshot.metadata.index <= 1) {
      throw new CommandError(
        "index must be specified as > 1 due to bootstrap",
      );
    }
    for (let i = 0; i < count; i += 1) {
      const storage = new HistoryStorage();
      if (snapshot !== null) storage.applySnapshot(snapshot);
      storage.history.push(snapshot ?? EMPTY_SNAPSHOT);
      const id = this.nodes.length + 1;
      const options = raftOptions({
        ...CONFIG_STUB,
        ...template.options,
        id,
        storage,
        log: this.output,
      });
      const { asyncStorage } = template;
      const raw = new RawNode(options, { asyncStorage });
      const threads = { appendWork: [], applyWork: [] };
      this.nodes.push({ id, raw, storage, asyncStorage, ...threads });
    }
  }

  processReady(node: TestNode): void {
    const ready = node.raw.ready();
    const { soft } = ready;
    this.output.write(formatReady({
      ...ready,
      softState: soft === null
        ? null
        : formatSoftState(soft.lead, STATE_NAMES[soft.role]),
    }));
    if (!node.asyncStorage) {
      store(node, ready.hardState, ready.entries, ready.snapshot);
      apply(node, ready.committedEntries);
    }
    for (const message of ready.messages) {
      if (!isLocalThread(message.to)) this.messages.push(message);
      else if (message.to === LOCAL_APPEND_THREAD) {
        node.appendWork.push(message);
      } else node.applyWork.push(message);
    }
    if (!node.asyncStorage) node.raw.advance();
  }

  /** Delivers, or drops, what is on its way to `to`; returns how many. */
  deliver(
    to: RaftId,
    { type, drop }: { readonly type: number | null; readonly drop: boolean },
  ): number {
    const isPicked = (message: Message) =>
      message.to === to && !(drop && isLocal(message)) &&
      (type === null || message.type === type);
    const picked = this.messages.filter(isPicked);
    this.messages = this.messages.filter((message) => !isPicked(message));
    for (const message of picked) {
      const prefix = drop ? "dropped: " : "";
      this.output.write(`${prefix}${formatMessage(message)}\n`);
      if (drop) continue;
      const refusal = this.node(to).raw.step(message);
      if (refusal !== null) this.output.write(`${REFUSALS[refusal]}\n`);
    }
    return picked.length;
  }

  hasMessagesTo(id: RaftId): boolean {
    return this.messages.some((message) => message.to === id);
  }

  processAppendThread(node: TestNode): void {
    this.#processThread(node.appendWork, "append", (message) => {
      const { term, vote, commit } = message;
      const hardState = term === 0 && vote === 0 && commit === 0
        ? null
        : { term, vote, commit };
      store(node, hardState, message.entries, message.snapshot);
    });
  }

  processApplyThread(node: TestNode): void {
    this.#processThread(
      node.applyWork,
      "apply",
      (message) => apply(node, message.entries),
    );
  }

  printLog({ storage }: TestNode): void {
    const [first, last] = [storage.firstIndex(), storage.lastIndex()];
    if (last < first) {
      this.output.write(
        `log is empty: first index=${first}, last index=${last}`,
      );
      return;
    }
    const entries = storage.entries(first, last + 1, Infinity);
    if (typeof entries === "string") throw new Error(entries);
    for (const entry of entries) this.output.write(`${formatEntry(entry)}\n`);
  }

  /** Fails the directive with the text of `refusal`, if there is one. */
  check(refusal: StepRefusal | null): void {
    if (refusal !== null) throw new CommandError(REFUSALS[refusal]);
  }

  #processThread(
    work: Message[],
    name: string,
    run: (message: Message) => void,
  ): void {
    const message = work.shift();
    if (message === undefined) {
      this.output.write(`no ${name} work to perform`);
      return;
    }
    this.output.write("Processing:\n");
    this.output.write(`${formatMessage({ ...message, responses: [] })}\n`);
    run(message);
    this.output.write("Responses:\n");
    for (const response of message.responses) {
      this.output.write(`${formatMessage(response)}\n`);
    }
    this.messages.push(...message.responses);
  }
}

const EMPTY_SNAPSHOT: Snapshot = {
  data: EMPTY_BYTES,
  metadata: { index: 0, term: 0, confState: NO_CONFIG },
};

/** What upstream's harness runs with; the file's options come on top. */
const CONFIG_STUB: Partial<RaftOptions> & Pick<RaftOptions, "randomTicks"> = {
  electionTicks: 3,
  heartbeatTicks: 1,
  messageBytesMax: Infinity,
  applyBytesMax: Infinity,
  uncommittedBytesMax: Infinity,
  inflightCountMax: 2 ** 31 - 1,
  inflightBytesMax: 0,
  preVote: false,
  checkQuorum: false,
  stepDownOnRemoval: false,
  snapshotTicksMax: 0,
  randomTicks: (count) => Math.floor(Math.random() * count),
};

function store(
  { storage }: TestNode,
  hardState: HardState | null,
  entries: readonly Entry[],
  snapshot: Snapshot | null,
): void {
  if (hardState !== null) storage.hardState = hardState;
  if (snapshot === null) {
    storage.append(entries);
    return;
  }
  if (entries.length > 0) {
    throw new CommandError(
      "can't apply snapshot and entries at the same time",
    );
  }
  if (snapshot.metadata.index <= storage.checkpoint.metadata.index) {
    throw new CommandError(
      "requested index is older than the existing snapshot",
    );
  }
  storage.applySnapshot(snapshot);
}

function apply({ raw, storage }: TestNode, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const before = present(storage.history.at(-1), "a node's history");
    let update = entry.data;
    let confState: ConfState = before.metadata.confState;
    if (entry.type !== ENTRY_NORMAL) {
      update = decodeConfChange(entry.type, entry.data).context;
      confState = raw.applyConfChange(entry);
    }
    const { index, term } = entry;
    storage.history.push({
      data: concatBytes(before.data, update),
      metadata: { index, term, confState },
    });
  }
}

function isLocal({ from, to }: Message): boolean {
  return from === to || isLocalThread(from) || isLocalThread(to);
}
