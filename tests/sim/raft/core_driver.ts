import type { ConfChange } from "../../../src/raft/conf_change.ts";
import { confStateAfter } from "../../../src/raft/conf_switch.ts";
import {
  type Apply,
  Core,
  type Effects,
  type Message,
  type NeedEntries,
  type Persist,
} from "../../../src/raft/core.ts";
import type { RaftOptions } from "../../../src/raft/options.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import type { RaftId } from "../../../src/raft/types.ts";
import { fail } from "./checkers.ts";
import type { Batch, Driver, Host } from "./driver.ts";

/** Drives a `Core` as programs do: by its effects and their numbers. */
export class CoreDriver implements Driver {
  readonly #core: Core;
  readonly #host: Host;
  #persists: Persist[] = [];
  #applies: Apply[] = [];
  #isWriting = false;
  #isApplying = false;

  constructor(host: Host, options: RaftOptions) {
    this.#host = host;
    this.#core = new Core(options);
  }

  get state(): RaftState {
    return this.#core.state;
  }

  tick(): void {
    this.#core.tick();
  }

  campaign(): void {
    this.#core.campaign();
  }

  step(message: Message): void {
    this.#core.step(message);
  }

  propose(data: Uint8Array): void {
    this.#core.propose(data);
  }

  proposeConfChange(change: ConfChange): void {
    this.#core.proposeConfChange(change);
  }

  readIndex(round: number): void {
    this.#core.readIndex(round);
  }

  transferLeader(transferee: RaftId): void {
    this.#core.transferLeader(transferee);
  }

  forgetLeader(): void {
    this.#core.forgetLeader();
  }

  reportUnreachable(peer: RaftId): void {
    this.#core.reportUnreachable(peer);
  }

  reportSnapshot(peer: RaftId, options: { readonly failed: boolean }): void {
    this.#core.reportSnapshot(peer, options);
  }

  pump(): void {
    for (let rounds = 0; this.#host.isUp; rounds += 1) {
      const effects = this.#core.pump();
      if (effects === null) return;
      this.#carryOut(effects);
      if (rounds > 1_000) fail("Busy", `${this.#host.id} pumps for ever`);
    }
  }

  unfinished(): readonly Batch[] {
    return this.#persists.map(batchOf);
  }

  #carryOut(effects: Effects): void {
    for (const message of effects.send) this.#host.send(message);
    if (effects.persist !== undefined) {
      this.#persists.push(effects.persist);
      this.#startWriting();
    }
    if (effects.apply !== undefined) {
      const last = effects.apply.entries.at(-1)?.index ?? 0;
      if (last > this.#host.durableIndex) {
        fail("ApplyBeforeDurable", `${this.#host.id} at ${last}`);
      }
      this.#applies.push(effects.apply);
      this.#startApplying();
    }
    for (const { round, index } of effects.reads) {
      this.#host.onRead(round, index);
    }
    for (const need of effects.needEntries) this.#fetch(need);
  }

  #startWriting(): void {
    if (this.#isWriting || this.#persists.length === 0) return;
    this.#isWriting = true;
    const host = this.#host;
    host.afterWrite(() => {
      this.#isWriting = false;
      const count = host.drawGroup(this.#persists.length);
      const group = this.#persists.splice(0, count);
      for (const persist of group) host.persist(batchOf(persist));
      if (host.diesInWrite()) return host.crash();
      for (const { afterDurable } of group) {
        for (const message of afterDurable) host.send(message);
      }
      if (!host.isUp) return;
      host.run(() => {
        this.#core.persisted(group.at(-1)?.seq ?? 0);
        this.#startWriting();
      });
    });
  }

  #startApplying(): void {
    if (this.#isApplying || this.#applies.length === 0) return;
    this.#isApplying = true;
    const host = this.#host;
    host.afterApply(() => {
      this.#isApplying = false;
      const group = this.#applies.splice(
        0,
        host.drawGroup(this.#applies.length),
      );
      for (const { entries } of group) {
        host.apply(entries, (entry) => confStateAfter(host.config, entry));
      }
      host.run(() => {
        this.#core.applied(group.at(-1)?.seq ?? 0);
        this.#startApplying();
      });
    });
  }

  #fetch({ ticket, from, until, bytesMax }: NeedEntries): void {
    const host = this.#host;
    host.afterApply(() => {
      const entries = host.fetch(from, until, bytesMax);
      host.run(() => this.#core.entriesFetched(ticket, entries));
    });
  }
}

function batchOf(persist: Persist): Batch {
  return {
    hardState: persist.hardState ?? null,
    snapshot: persist.snapshot ?? null,
    entries: persist.entries,
  };
}
