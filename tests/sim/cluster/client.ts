import { toHex, utf8 } from "../../../src/base/bytes.ts";
import type { WriteReply } from "../../../src/fsm/types.ts";
import type { ReadRange } from "../../../src/node/port.ts";
import type {
  KvInput,
  KvOutput,
  ModelEntry,
  ModelRange,
} from "../../linearizability/kv_model.ts";
import type { Dice } from "../raft/dice.ts";
import type { Answer } from "./ask.ts";
import type { Host } from "./host.ts";
import { atomicWrite, modelEntry } from "./values.ts";
import { type Planned, Workload } from "./workload.ts";
import type { World } from "./world.ts";

/** Tries of one operation that its nodes refuse. */
const TRIES_MAX = 12;
const PAUSE_MS = 60;
const MARK_MS_MAX = 1_500;
/** Some give up early, to come back to a member that has fallen behind. */
const READ_MS = [200, 600, 2_000, 8_000] as const;

/**
 * Does one thing after the other, at one member or at any. As Deno's client it
 * repeats what surely did not happen; what is lost is not repeated.
 */
export class Client {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #name: string;
  readonly #workload: Workload;
  /** Of its own: runs without marks that end are as they were. */
  readonly #endings: Dice;
  /** Always the same member; `null` moves on. */
  readonly #home: Host | null;
  readonly #known = new Map<string, string | null>();
  #count = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
    this.#dice = world.dice.split(`client/${name}`);
    this.#workload = new Workload(this.#dice.split("workload"));
    this.#endings = this.#dice.split("endings");
    this.#home = this.#dice.chance(0.5) ? null : this.#dice.pick(world.hosts);
  }

  async run(thinkMs: number): Promise<void> {
    const { asking } = this.#world;
    while (!this.#world.isClosing) {
      await asking.pass(this.#dice.exponential(thinkMs));
      await this.#operate();
    }
  }

  async #operate(): Promise<void> {
    const { asking } = this.#world;
    const planned = this.#workload.next(this.#nextId(), this.#known);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const id = tries === 0 ? idOf(planned, this.#name) : this.#nextId();
      const isDone = await this.#attempt(withId(planned, id), id);
      if (isDone) return;
      await asking.pass(this.#dice.exponential(PAUSE_MS));
    }
  }

  /** False when nothing happened and it may be tried again. */
  async #attempt(planned: Planned, id: string): Promise<boolean> {
    const host = this.#home ?? this.#dice.pick(this.#world.hosts);
    const { input } = planned;
    const calledAt = this.#world.now;
    if (input.kind === "read") return await this.#read(host, planned, id);
    const { checks, changes } = input;
    const write = atomicWrite(checks, changes, this.#marksUntilMs());
    const answer = await this.#world.asking.ask(
      host,
      (node) => node.write(write),
    );
    this.#noteWrite(planned, { id, calledAt, answer });
    return answer.kind !== "refused";
  }

  /** Some marks end soon: leaders then have a clock to move on. */
  #marksUntilMs(): number {
    const { swarm, time } = this.#world;
    const chance = swarm.keys?.rollout?.endingChance ?? 0;
    if (chance === 0 || !this.#endings.chance(chance)) return 0;
    return time.wallMs() + this.#endings.between(1, MARK_MS_MAX);
  }

  #noteWrite(
    { group, input }: Planned,
    { id, calledAt, answer }: {
      id: string;
      calledAt: number;
      answer: Answer<WriteReply>;
    },
  ): void {
    const { history } = this.#world;
    const returnedAt = this.#world.now;
    const outcome = answer.kind === "answered"
      ? answer.value
      : answer.kind === "lost"
      ? "unknown"
      : "refused";
    const told = typeof outcome === "string" ? outcome : outcome.kind;
    this.#world.note(`${id}: ${told}`);
    this.#world.answered({ id, outcome, calledAt, returnedAt });
    if (outcome === "refused") return;
    const output = outcome === "unknown" ? null : outputOf(outcome);
    history.add(group.name, { input, output, calledAt, returnedAt });
    if (input.kind !== "write" || output?.kind !== "committed") return;
    for (const change of input.changes) {
      const isGone = change.kind === "delete";
      this.#known.set(change.key, isGone ? null : output.stamp);
    }
  }

  async #read(
    host: Host,
    { group, input, isStrong }: Planned,
    id: string,
  ): Promise<boolean> {
    if (input.kind !== "read") return true;
    const { ranges } = input;
    const calledAt = this.#world.now;
    const knownAtCall = this.#world.known;
    const request = {
      database: "",
      ranges: ranges.map(rangeOf),
      strong: isStrong,
    };
    const answer = await this.#world.asking.ask(
      host,
      (node) => node.read(request),
      this.#dice.pick(READ_MS),
    );
    if (answer.kind !== "answered") return answer.kind === "lost";
    const entries = answer.value.map((found) => found.map(modelEntry));
    this.#world.note(`${id}: read`);
    this.#world.haveRead({ id, isStrong, knownAtCall, ranges, entries });
    if (!isStrong) return true;
    const output: KvOutput = { kind: "entries", ranges: entries };
    const returnedAt = this.#world.now;
    this.#world.history.add(group.name, {
      input,
      output,
      calledAt,
      returnedAt,
    });
    this.#learn(ranges, entries);
    return true;
  }

  #learn(
    ranges: readonly ModelRange[],
    entries: readonly (readonly ModelEntry[])[],
  ): void {
    ranges.forEach(({ keys }, i) => {
      // Of a list only what it shows.
      const [only] = keys;
      if (keys.length === 1 && only !== undefined) this.#known.set(only, null);
      for (const { key, stamp } of entries[i] ?? []) {
        this.#known.set(key, stamp);
      }
    });
  }

  #nextId(): string {
    this.#count += 1;
    return `${this.#name}.${this.#count}`;
  }
}

function idOf({ input }: Planned, name: string): string {
  return input.kind === "write" ? input.id : `${name}.read`;
}

/** The same operation under another id, with which its values change. */
function withId(planned: Planned, id: string): Planned {
  const { input } = planned;
  if (input.kind === "read") return planned;
  const changes = input.changes.map((change) =>
    change.kind === "set" ? { ...change, value: id } : change
  );
  const renamed: KvInput = { ...input, id, changes };
  return { ...planned, input: renamed };
}

/** [first key, behind the last one). */
function rangeOf({ keys, limit, reverse }: ModelRange): ReadRange {
  const [start = ""] = keys;
  return {
    start: utf8(start),
    end: utf8(`${keys.at(-1)}\0`),
    limit,
    reverse,
  };
}

function outputOf(reply: WriteReply): KvOutput {
  switch (reply.kind) {
    case "committed":
      return { kind: "committed", stamp: toHex(reply.versionstamp) };
    case "check-failed":
      return { kind: "check-failed", failed: reply.failedChecks };
    case "rejected":
      return { kind: "rejected" };
  }
}
