import { present } from "../../base/assert.ts";
import {
  decideEncryption,
  type EncryptionRefusal,
  type RefusalCode,
} from "../../fsm/encryption.ts";
import type { EncryptionChange, EncryptionState } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import { encryptionRowBody } from "../../store/encryption_row.ts";
import type { StoreState } from "../../store/meta.ts";
import { proveNoCleartext } from "./no_cleartext.ts";
import { asHalt, GIVEN_UP, KekPatience } from "./kek_patience.ts";
import { registeredEpoch, sharedKeysOf, type WriterName } from "./own_rows.ts";
import { passEarlierLives } from "./pass_earlier_lives.ts";

/** What applying a change of encryption works with. */
export interface ActingParts {
  readonly custody: KeyCustody;
  readonly store: Pick<
    BufferedStore,
    | "state"
    | "commit"
    | "flush"
    | "countRecords"
    | "hasNoCleartextMark"
    | "markNoCleartext"
  >;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly writer: WriterName;
  /** Tells whether an entry is older than this member: others had its name. */
  readonly isBeforeOwn: (index: LogIndex) => boolean;
}

/** Where an entry is. */
export interface EntryPlace {
  readonly index: LogIndex;
  readonly term: Term;
}

/** `refusal` is `null` for an entry that was taken. */
export interface ActingDone {
  readonly refusal: EncryptionRefusal | null;
}

/**
 * The acting half of the applier: applies one change of encryption, alone.
 *
 * 1. All before it is durable in the store first.
 * 2. Decide → keys and sidecar, durably → store, durably → answer. A crash
 *    anywhere in between repeats the whole, to the same end.
 * 3. A refusal is durable too, and changes nothing but the applied index.
 * 4. A KEK provider that does not answer is waited for.
 * 5. Before the lock, a member without the mark of a scan looks for cleartext
 *    itself, and stops before the entry if there is any.
 */
export class EncryptionActing {
  readonly #parts: ActingParts;
  readonly #patience: KekPatience;
  #saidRefusal: RefusalCode | null = null;

  constructor(parts: ActingParts) {
    this.#parts = parts;
    this.#patience = new KekPatience(parts.clock, parts.log);
  }

  /** An entry waits for a KEK provider. */
  get isKekWaiting(): boolean {
    return this.#patience.isWaiting;
  }

  /**
   * Applies the entry after the applied one; `null` when `isOver` ended it
   * before it changed the store.
   *
   * @throws {EncryptionHaltedError} This node cannot; nothing was applied.
   * @throws {NodeError} What the store throws.
   */
  async apply(
    place: EntryPlace,
    change: EncryptionChange,
    isOver: () => boolean,
  ): Promise<ActingDone | null> {
    const { store } = this.#parts;
    await store.flush();
    const prior = store.state;
    const decision = decideEncryption(prior.fsm, place.index, change);
    if (decision.kind === "refused") {
      const { refusal } = decision;
      if (this.#isOwn(change)) this.#sayRefused(refusal);
      await this.#commit(prior, place);
      return { refusal };
    }
    const { next } = decision;
    if (change.kind === "seal-cleartext") {
      const isProven = await proveNoCleartext(this.#parts, place.index, isOver);
      if (!isProven) return null;
    }
    const taken = await this.#patience.run(
      () => this.#takeOver(prior, next, { place, change }),
      isOver,
      { index: place.index },
    );
    if (taken === GIVEN_UP) return null;
    await this.#commit(taken, place);
    return { refusal: null };
  }

  /** Lets `isOver` be asked now. */
  wake(): void {
    this.#patience.wake();
  }

  /** Makes keys and epochs those of `next`; returns the state to commit. */
  async #takeOver(
    prior: StoreState,
    next: EncryptionState,
    entry: { readonly place: EntryPlace; readonly change: EncryptionChange },
  ): Promise<StoreState> {
    const { custody, writer, isBeforeOwn } = this.#parts;
    const { index } = entry.place;
    const clusterId = present(prior.fsm.clusterId, "a founded cluster's id");
    try {
      if (entry.change.kind !== "registration") {
        await custody.absorb(
          clusterId,
          sharedKeysOf(next),
          (keyId) => registeredEpoch(next, writer, keyId),
        );
      } else if (this.#isOwn(entry.change) && isBeforeOwn(index)) {
        await passEarlierLives(custody, writer, next);
      }
      const encryptionMac = next === prior.fsm.encryption
        ? prior.encryptionMac
        : await custody.stateMac(clusterId, encryptionRowBody(next));
      return {
        ...prior,
        fsm: { ...prior.fsm, encryption: next },
        encryptionMac,
      };
    } catch (error) {
      throw asHalt(error, index);
    }
  }

  /** A registration of this node, or of an earlier member of its name. */
  #isOwn(change: EncryptionChange): boolean {
    return change.kind === "registration" &&
      change.fullNodeId === this.#parts.writer.fullNodeId;
  }

  /** It is proposed again and again: each reason is told once. */
  #sayRefused({ code, detail }: EncryptionRefusal): void {
    if (this.#saidRefusal === code) return;
    this.#saidRefusal = code;
    this.#parts.log.write("warn", "encryption_registration_refused", {
      code,
      detail,
    });
  }

  async #commit(
    state: StoreState,
    { index, term }: EntryPlace,
  ): Promise<void> {
    const { store } = this.#parts;
    const applied = { index, term };
    await store.commit({ state: { ...state, applied }, mutations: [] });
    await store.flush();
  }
}
