import { EMPTY_BYTES } from "../../base/bytes.ts";
import { CommandMalformedError } from "../../fsm/errors.ts";
import { decodeProposal } from "../../fsm/proposal.ts";
import type { FsmState } from "../../fsm/types.ts";
import { type Entry, ENTRY_NORMAL } from "../../raft/types.ts";
import { RaftUnwrapFailedError } from "./errors.ts";
import type { RaftOpener } from "./opener.ts";

/** Entries that are opened beside each other, and their bytes. */
const AHEAD_ENTRIES_MAX = 16;
const AHEAD_BYTES_MAX = 2 * 1024 * 1024;

/** Under which entries that do not open are counted. */
const REASON = "raft-entry";

/**
 * Opens entries that wait to be applied beside each other, where that can be
 * done before their turn: with keys that an entry applied already has brought.
 *
 * Nothing is decided by it: in its turn each is judged by the state of then.
 */
export class OpenAhead {
  readonly #opener: RaftOpener;
  /** By the data of the entry; what fails says so when it is asked for. */
  readonly #begun = new WeakMap<Uint8Array, Promise<Uint8Array>>();
  #failed = 0;

  constructor(opener: RaftOpener) {
    this.#opener = opener;
  }

  /** How many entries did not open in their turn, by reason. */
  get failures(): ReadonlyMap<string, number> {
    return new Map(this.#failed === 0 ? [] : [[REASON, this.#failed]]);
  }

  /** Begins with `waiting`, in order, up to the first that must wait. */
  begin(fsm: FsmState, waiting: Iterable<Entry>): void {
    this.#opener.forgetRetired(fsm);
    let [count, bytes] = [0, 0];
    for (const entry of waiting) {
      const { type, index, data } = entry;
      if (type !== ENTRY_NORMAL || data.length === 0) continue;
      const payload = payloadOf(data);
      bytes += data.length;
      count += 1;
      if (
        (count > 1 && bytes > AHEAD_BYTES_MAX) || count > AHEAD_ENTRIES_MAX ||
        !this.#opener.isSealed(fsm, index, payload) ||
        !this.#opener.isKnown(fsm, payload)
      ) return;
      if (!this.#begun.has(data)) this.#begin(fsm, entry, payload);
    }
  }

  /** As `RaftOpener.isSealed`. */
  isSealed(fsm: FsmState, { index }: Entry, payload: Uint8Array): boolean {
    return this.#opener.isSealed(fsm, index, payload);
  }

  /**
   * As `RaftOpener.open`.
   *
   * @throws {RaftUnwrapFailedError}
   */
  async open(
    fsm: FsmState,
    { index, data }: Entry,
    payload: Uint8Array,
  ): Promise<Uint8Array> {
    const begun = this.#begun.get(data);
    try {
      // A key that was retired since opens nothing any more.
      if (begun !== undefined && this.#opener.isKnown(fsm, payload)) {
        return await begun;
      }
      return await this.#opener.open(fsm, index, payload.slice());
    } catch (error) {
      if (error instanceof RaftUnwrapFailedError) this.#failed += 1;
      throw error;
    }
  }

  #begin(fsm: FsmState, { index, data }: Entry, payload: Uint8Array): void {
    const opened = this.#opener.open(fsm, index, payload.slice());
    // It is told in its turn.
    opened.catch(() => {});
    this.#begun.set(data, opened);
  }
}

/** Nothing for what is no proposal: the applier says so in its turn. */
function payloadOf(data: Uint8Array): Uint8Array {
  try {
    return decodeProposal(data).payload;
  } catch (error) {
    if (error instanceof CommandMalformedError) return EMPTY_BYTES;
    throw error;
  }
}
