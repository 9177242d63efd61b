import { toHex } from "../../../src/base/bytes.ts";
import { applyPayload } from "../../../src/fsm/apply.ts";
import { decodePayload, encodeBatch } from "../../../src/fsm/payload.ts";
import { decodeProposal, encodeProposal } from "../../../src/fsm/proposal.ts";
import {
  type AtomicWrite,
  type FsmState,
  type Mutation,
  type StoredRecord,
  type WriteReply,
} from "../../../src/fsm/types.ts";
import { NotReadyError } from "../../../src/node/errors.ts";
import type {
  NodeStatus,
  ReadEntry,
  ReadRange,
  ReadRequest,
} from "../../../src/node/port.ts";
import { type Entry, ENTRY_NORMAL } from "../../../src/raft/types.ts";
import { EMPTY_STATE } from "../../../src/store/meta.ts";
import { Life } from "./life.ts";
import type {
  OpenSimNode,
  SimNode,
  SimNodeOptions,
  SimPorts,
} from "./sim_node.ts";
import { keyText } from "./values.ts";

/** Ways in which a toy cluster is wrong; each breaks one promise. */
export const TOY_BUGS = [
  "acknowledges what is not in the log",
  "appends twice",
  "answers another caller",
  "refuses what it has appended",
  "reads without asking the leader",
  "reads keys of one request at different times",
  "applies another value on one member",
  "commits another entry on one member",
  "leads while another one leads",
  "goes back in what it has applied",
  "stops for no reason",
  "never leads again",
] as const;
export type ToyBug = (typeof TOY_BUGS)[number];

/** Index before the first entry, as in a product cluster. */
const FOUNDING_INDEX = 2;
const BEAT_MS = 50;
const SILENCE_MS_MAX = 500;
/** Bugs show after that many entries. */
const BUGGY_FROM = 60;

/** What all members of a toy cluster share, as if by magic. */
class ToyCluster {
  readonly entries: Entry[] = [];
  leader = "";
  term = 1;
  lastBeatMs = 0;

  get last(): number {
    return FOUNDING_INDEX + this.entries.length;
  }
}

/**
 * A cluster that needs no network: one log in the memory of the simulator. It
 * shows that the harness drives many members, that right ones pass, and, with
 * a bug, that the checker for it does look.
 */
export function toyNodes(bug: ToyBug | null): OpenSimNode {
  const cluster = new ToyCluster();
  return (ports, options) =>
    Promise.resolve(new ToyNode(cluster, ports, { ...options, bug }));
}

class ToyNode implements SimNode {
  readonly encryption = null;
  readonly #cluster: ToyCluster;
  readonly #ports: SimPorts;
  readonly #options: SimNodeOptions & { readonly bug: ToyBug | null };
  readonly #records = new Map<string, StoredRecord>();
  #fsm: FsmState = EMPTY_STATE.fsm;
  #applied = FOUNDING_INDEX;
  #isStopped = false;
  #lastReply: WriteReply | null = null;
  #looks = 0;
  /** What a read of before saw. */
  #old: readonly ReadEntry[] = [];

  constructor(
    cluster: ToyCluster,
    ports: SimPorts,
    options: SimNodeOptions & { readonly bug: ToyBug | null },
  ) {
    this.#cluster = cluster;
    this.#ports = ports;
    this.#options = options;
    // Who comes back has to win again.
    if (cluster.leader === options.name) cluster.leader = "";
  }

  start(): void {
    this.#beat();
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
  }

  /** All machines are members, always. */
  async changeMembers(): Promise<void> {
    this.#mustServe();
  }

  async write(write: AtomicWrite): Promise<WriteReply> {
    this.#mustServe();
    const cluster = this.#cluster;
    if (this.#has("acknowledges what is not in the log")) {
      const versionstamp = new Uint8Array(10).fill(1);
      return { kind: "committed", versionstamp };
    }
    const payload = encodeBatch([write], this.#ports.clock.wallMs());
    const times = this.#has("appends twice") ? 2 : 1;
    let reply: WriteReply | null = null;
    for (let i = 0; i < times; i += 1) {
      cluster.entries.push({
        type: ENTRY_NORMAL,
        term: cluster.term,
        index: cluster.last + 1,
        data: encodeProposal(0, payload),
      });
      reply ??= this.#applyAll();
    }
    if (this.#has("refuses what it has appended")) {
      throw new NotReadyError("it lies");
    }
    const last = this.#lastReply;
    this.#lastReply = reply;
    return this.#has("answers another caller") && last !== null
      ? last
      : reply as WriteReply;
  }

  async read(
    { ranges, strong }: ReadRequest,
  ): Promise<readonly (readonly ReadEntry[])[]> {
    const isCareless = this.#has("reads without asking the leader");
    if (strong && !isCareless) {
      this.#mustServe();
      this.#applyAll();
    }
    const found = ranges.map((range) => this.#range(range));
    const [first] = found;
    const old = this.#old;
    this.#old = first ?? [];
    if (
      this.#has("reads keys of one request at different times") &&
      found.length > 1 && old.length > 0 &&
      toHex(old[0]?.key ?? new Uint8Array()) ===
        toHex(first?.[0]?.key ?? new Uint8Array())
    ) return [old, ...found.slice(1)];
    return found;
  }

  status(): NodeStatus {
    const { leader, term, last: commit } = this.#cluster;
    const { name } = this.#options;
    const isTwin = this.#isOdd("leads while another one leads");
    this.#looks += 1;
    const isBack = this.#has("goes back in what it has applied") &&
      this.#looks % 2 === 0;
    return {
      cluster: "toy",
      clusterId: null,
      node: name,
      leader: isTwin ? name : leader,
      term,
      commit,
      applied: isBack ? this.#applied - 3 : this.#applied,
      phase: 0,
      ready: leader === name,
      members: [],
    };
  }

  #beat(): void {
    const { clock } = this.#ports;
    if (this.#isStopped) return;
    const cluster = this.#cluster;
    const { name } = this.#options;
    const nowMs = Life.current?.host.time.monotonicMs() ?? 0;
    const isSilent = nowMs - cluster.lastBeatMs > SILENCE_MS_MAX;
    const isDead = this.#has("never leads again");
    if (!isDead && cluster.leader !== name && isSilent) {
      cluster.leader = name;
      cluster.term += 1;
    }
    if (isDead) cluster.leader = "";
    if (cluster.leader === name) cluster.lastBeatMs = nowMs;
    if (this.#isOdd("stops for no reason")) {
      return this.#options.onFatal(new Error("no reason"));
    }
    // Others are a little behind, so that a careless read shows.
    this.#applyAll();
    clock.after(BEAT_MS, () => this.#beat());
  }

  #applyAll(): WriteReply | null {
    let reply: WriteReply | null = null;
    const observer = Life.current?.host.observer;
    while (this.#applied < this.#cluster.last) {
      const at = this.#applied - FOUNDING_INDEX;
      const entry = this.#cluster.entries[at] as Entry;
      const isOther = this.#isOdd("commits another entry on one member");
      const data = isOther ? Uint8Array.of(...entry.data, 0) : entry.data;
      observer?.committed([{ ...entry, data }]);
      const mutations = this.#apply(entry);
      reply = this.#lastApplied;
      observer?.applied({
        ...EMPTY_STATE,
        applied: { index: entry.index, term: entry.term },
        fsm: this.#fsm,
      }, mutations);
    }
    return reply;
  }

  #lastApplied: WriteReply | null = null;

  #apply(entry: Entry): readonly Mutation[] {
    const payload = decodePayload(decodeProposal(entry.data).payload);
    const view = {
      get: ({ key }: { readonly key: Uint8Array }) =>
        this.#records.get(keyText(key)) ?? null,
    };
    const applied = applyPayload(this.#fsm, view, entry.index, payload);
    this.#fsm = applied.state;
    this.#applied = entry.index;
    this.#lastApplied = applied.replies[0] ?? null;
    const isOther = this.#isOdd("applies another value on one member");
    const mutations = isOther ? applied.mutations.slice(1) : applied.mutations;
    for (const { key, record } of mutations) {
      if (record === null) this.#records.delete(keyText(key));
      else this.#records.set(keyText(key), record);
    }
    return mutations;
  }

  #range({ start, end, limit, reverse }: ReadRange): readonly ReadEntry[] {
    const [from, until] = [keyText(start), keyText(end)];
    const keys = [...this.#records.keys()].sort()
      .filter((key) => key >= from && key < until);
    if (reverse) keys.reverse();
    return keys.slice(0, limit).map((key) => {
      const record = this.#records.get(key) as StoredRecord;
      return { key: new TextEncoder().encode(key), ...record };
    });
  }

  /** Any member serves: the log is everybody's. */
  #mustServe(): void {
    if (this.#cluster.leader === "") throw new NotReadyError("nobody leads");
  }

  #has(bug: ToyBug): boolean {
    return this.#options.bug === bug && this.#cluster.last > BUGGY_FROM;
  }

  /** One member alone has the bug. */
  #isOdd(bug: ToyBug): boolean {
    return this.#has(bug) && this.#options.name === "n2" &&
      this.#cluster.leader !== "n2";
  }
}
