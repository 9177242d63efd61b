import type { EncryptionRefusal } from "../../fsm/encryption.ts";
import type { LogIndex, Term } from "../../raft/types.ts";

/** What became of a proposed change of encryption. */
export type EncryptionOutcome =
  /** Applied here, and durable. */
  | { readonly kind: "taken"; readonly index: LogIndex }
  /** Applied here, and durable: it changed nothing. */
  | {
    readonly kind: "refused";
    readonly index: LogIndex;
    readonly refusal: EncryptionRefusal;
  }
  /** Its entry does not exist and never will. */
  | { readonly kind: "lost" }
  /** Nobody here can tell any more: the store was replaced, or the node ends. */
  | { readonly kind: "unknown" };

interface Waiter {
  readonly term: Term;
  readonly resolve: (outcome: EncryptionOutcome) => void;
}

/**
 * Who waits for proposed changes of encryption, by the proposal's id.
 *
 * A proposal is made for one term: its entry carries that term or does not
 * exist (as in Proposals).
 */
export class Outcomes {
  readonly #waiters = new Map<number, Waiter>();

  /** `proposalId` is of this start of the node and was proposed in `term`. */
  wait(proposalId: number, term: Term): Promise<EncryptionOutcome> {
    const { promise, resolve } = Promise.withResolvers<EncryptionOutcome>();
    this.#waiters.set(proposalId, { term, resolve });
    return promise;
  }

  /** The entry of `proposalId` is applied. */
  applied(
    proposalId: number,
    index: LogIndex,
    refusal: EncryptionRefusal | null,
  ): void {
    this.#settle(
      proposalId,
      refusal === null
        ? { kind: "taken", index }
        : { kind: "refused", index, refusal },
    );
  }

  /** What was proposed was taken back before it was an entry. */
  dropped(proposalId: number): void {
    this.#settle(proposalId, { kind: "lost" });
  }

  /** An entry of `term` is applied, and `applied` was told before it. */
  termApplied(term: Term): void {
    for (const [id, waiter] of this.#waiters) {
      if (waiter.term < term) this.#settle(id, { kind: "lost" });
    }
  }

  /** Entries were passed over here, or none will be applied any more. */
  passedOver(): void {
    for (const id of this.#waiters.keys()) {
      this.#settle(id, { kind: "unknown" });
    }
  }

  #settle(proposalId: number, outcome: EncryptionOutcome): void {
    const waiter = this.#waiters.get(proposalId);
    if (waiter === undefined) return;
    this.#waiters.delete(proposalId);
    waiter.resolve(outcome);
  }
}
