import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { type KeyId, NO_KEY } from "../../base/data_key.ts";
import { encodeEncryption } from "../../fsm/encryption_payload.ts";
import { encodeProposal } from "../../fsm/proposal.ts";
import type { Core } from "../../raft/core.ts";
import type { Term } from "../../raft/types.ts";
import { LINE_BYTES_MAX, LINE_ENTRIES_MAX } from "../limits.ts";
import type { ProposalGate } from "./gate.ts";
import type { RaftSealer } from "./sealer.ts";

/** What is to become an entry. */
export interface LinePayload {
  readonly proposalId: number;
  readonly payload: Bytes;
  /** Called once: it is in this leader's log, or never will be. */
  readonly settle: (isMade: boolean) => void;
}

export interface EntryLineHost {
  readonly core: Pick<Core, "state" | "propose">;
  readonly gate: ProposalGate;
  readonly sealer: Pick<RaftSealer, "keyId" | "seal">;
  /** Term of the last entry that is applied here. */
  appliedTerm(): Term;
  /** Runs a turn of the driver, `run` in it. */
  wake(): void;
  failed(error: unknown): void;
}

const MARKER = encodeEncryption({ kind: "enable-raft-envelope" });

interface Waiting extends LinePayload {
  readonly term: Term;
  /** The key that it is being sealed, or is sealed, with; NO_KEY for none. */
  keyId: KeyId;
  /** `null` until it is sealed with `keyId`, no other. */
  envelope: Bytes | null;
}

/**
 * The only way of payloads into a leader's log: one line, in which they are
 * sealed beside each other and handed to the core in the order they came.
 *
 * Sealing takes time, so all that decides about an entry is looked at again,
 * synchronously, when it is handed over (docs/adr/0109):
 *
 * 1. This member leads in the term in which the payload came.
 * 2. All that leaders of earlier terms left is applied here.
 * 3. The gate of the cutover is open.
 * 4. It is sealed exactly if the applied state says so, with its active key.
 */
export class EntryLine {
  readonly #host: EntryLineHost;
  #line: Waiting[] = [];
  #bytes = 0;
  #count = 0;

  constructor(host: EntryLineHost) {
    this.#host = host;
  }

  /** Entries that this member put into its own log as leader. */
  get count(): number {
    return this.#count;
  }

  get length(): number {
    return this.#line.length;
  }

  /** Whether this member may put an entry into its log now, as leader. */
  get isOpen(): boolean {
    const { core, gate, appliedTerm } = this.#host;
    const { lead, id, term } = core.state;
    return lead === id && appliedTerm() === term && !gate.isClosed;
  }

  /**
   * Takes a payload of the leader of this moment; false, and `settle` is not
   * called, when it does not lead, or too much is in line.
   */
  add(payload: LinePayload): boolean {
    const { lead, id, term } = this.#host.core.state;
    const bytes = this.#bytes + payload.payload.length;
    if (
      lead !== id || this.#line.length >= LINE_ENTRIES_MAX ||
      (this.#line.length > 0 && bytes > LINE_BYTES_MAX)
    ) return false;
    this.#bytes = bytes;
    this.#line.push({ ...payload, term, keyId: NO_KEY, envelope: null });
    this.run();
    return true;
  }

  /** Hands over what may go, and lets go of what another leader ended. */
  run(): void {
    for (;;) {
      const [first] = this.#line;
      if (first === undefined) return;
      const { lead, id, term } = this.#host.core.state;
      if (lead !== id || term !== first.term) {
        this.#settle(first, false);
        continue;
      }
      if (!this.isOpen) return;
      const keyId = this.#host.sealer.keyId();
      if (keyId !== NO_KEY) this.#sealAll(keyId);
      const data = keyId === NO_KEY ? first.payload : first.envelope;
      if (data === null) return;
      this.#settle(first, this.#put(first.proposalId, data));
    }
  }

  /**
   * Puts the marker of the cutover into the log, past the line and unsealed;
   * false when the core refuses. Nobody else may propose: the gate is closed.
   */
  putMarker(proposalId: number): boolean {
    const { core, gate, appliedTerm } = this.#host;
    assert(gate.isClosed, "the marker follows a closed gate");
    assert(appliedTerm() === core.state.term, "the marker's leader is settled");
    return this.#put(proposalId, MARKER);
  }

  #put(proposalId: number, data: Bytes): boolean {
    const { core } = this.#host;
    if (!core.propose(encodeProposal(proposalId, data))) return false;
    this.#count += 1;
    return true;
  }

  #sealAll(keyId: KeyId): void {
    for (const waiting of this.#line) {
      if (waiting.keyId !== keyId) void this.#seal(waiting, keyId);
    }
  }

  async #seal(waiting: Waiting, keyId: KeyId): Promise<void> {
    waiting.keyId = keyId;
    waiting.envelope = null;
    try {
      const envelope = await this.#host.sealer.seal(keyId, waiting.payload);
      if (waiting.keyId !== keyId) return;
      waiting.envelope = envelope;
      this.#host.wake();
    } catch (error) {
      // Nobody waits for what left the line, or is sealed with another key now.
      const isWanted = waiting.keyId === keyId && this.#line.includes(waiting);
      if (isWanted) this.#host.failed(error);
    }
  }

  #settle(first: Waiting, isMade: boolean): void {
    this.#line.shift();
    this.#bytes -= first.payload.length;
    first.settle(isMade);
  }
}
