import type { Bytes } from "../../base/bytes.ts";
import {
  EPOCH_WARNING,
  type KeyId,
  NO_KEY,
  SEALING_PURPOSES,
} from "../../base/data_key.ts";
import { encodeEncryption } from "../../fsm/encryption_payload.ts";
import type { EncryptionState, WriterClaim } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { Sessions } from "../../keys/sessions.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import type { AppliedGroup } from "../applier.ts";
import type { Identity } from "../identity.ts";
import { EncryptionActing } from "./acting.ts";
import { Outcomes } from "./outcomes.ts";
import { type WriterName, writerNameOf } from "./own_rows.ts";
import { type Epochs, missingClaims, registryFault } from "./registration.ts";
import { isBeforeMember } from "./tenure.ts";

export interface NodeEncryptionParts {
  readonly custody: KeyCustody;
  readonly store: BufferedStore;
  readonly identity: Identity;
  /** `null` on a node that never seals. */
  readonly sessions: Pick<Sessions, "open"> | null;
  readonly clock: Clock;
  readonly log: EventLog;
}

export interface NodeEncryptionHost {
  /** Whether all that was committed when this process started is applied. */
  isCaughtUp(): boolean;
  /** What waits may go on. */
  progressed(): void;
  failed(error: unknown): void;
}

const NO_EPOCHS: Epochs = new Map();

/**
 * One member's part in the cluster's encryption: applies its changes, makes
 * itself known as a writer, and stops when the registry speaks against it.
 */
export class NodeEncryption {
  readonly acting: EncryptionActing;
  readonly outcomes = new Outcomes();
  readonly #parts: NodeEncryptionParts;
  readonly #host: NodeEncryptionHost;
  readonly #writer: WriterName;
  /** What the applied registry was when it was found to be right. */
  #checked: EncryptionState | null = null;
  /** The storage key that the last session was begun for. */
  #sessionKey: KeyId = NO_KEY;
  #opening: Promise<void> = Promise.resolve();
  /** This process is known to the cluster, or began without keys. */
  #isKnown: boolean;
  /** The epochs that this process has asked to be registered. */
  readonly #asked = new Map<KeyId, number>();

  constructor(parts: NodeEncryptionParts, host: NodeEncryptionHost) {
    const { identity, custody } = parts;
    this.#parts = parts;
    this.#host = host;
    this.#writer = writerNameOf(identity.name);
    this.#isKnown = custody.epochs().size === 0;
    this.acting = new EncryptionActing({
      ...parts,
      writer: this.#writer,
      isBeforeOwn: (index) => isBeforeMember(identity, index),
    });
  }

  /** Whether clients' writes may be proposed: the cluster knows this process. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get isReady(): boolean {
    return this.#isKnown && !this.acting.isKekWaiting;
  }

  /** As it is applied here. */
  get state(): EncryptionState {
    return this.#parts.store.state.fsm.encryption;
  }

  /** Whether the registry shows this node's epochs of the active keys. */
  get isRegistered(): boolean {
    return this.#missingClaims().length === 0;
  }

  start(): void {
    const { custody, log } = this.#parts;
    const { active } = this.state;
    for (const purpose of SEALING_PURPOSES) {
      const epoch = custody.epochs().get(active[purpose]) ?? 0;
      if (epoch < EPOCH_WARNING) continue;
      log.write("warn", "encryption_epoch_high", {
        purpose,
        key: active[purpose],
        epoch,
      });
    }
    this.progressed();
  }

  /** The epochs that this member stands for towards others. */
  claimedEpochs(): Epochs {
    return this.#stands ? this.#parts.custody.epochs() : NO_EPOCHS;
  }

  /**
   * The registration to propose; `null` while the registry shows all of it, and
   * until all is applied that was committed when this process started: what
   * registers one of its epochs before it asks is of another life.
   */
  takeRegistration(): Bytes | null {
    if (!this.#host.isCaughtUp()) return null;
    const { fullNodeId } = this.#writer;
    const claims = this.#missingClaims();
    if (claims.length === 0) return null;
    for (const { keyId, epoch } of claims) this.#asked.set(keyId, epoch);
    return encodeEncryption({ kind: "registration", fullNodeId, claims });
  }

  #missingClaims(): readonly WriterClaim[] {
    if (!this.#stands) return [];
    const epochs = this.#parts.custody.epochs();
    return missingClaims(this.state, this.#writer, epochs);
  }

  onApplied({ index, term, encryption }: AppliedGroup): void {
    if (encryption !== null) {
      const { proposalId, refusal } = encryption;
      this.outcomes.applied(proposalId, index, refusal);
    }
    this.outcomes.termApplied(term);
    this.progressed();
  }

  /** A checkpoint has taken the place of the store. */
  onReplaced(): void {
    this.outcomes.passedOver();
    this.progressed();
  }

  /** Something that this depends on may have changed. */
  progressed(): void {
    if (!this.#stands) return;
    this.#check();
    this.#beginSession();
    if (this.#isKnown || !this.#host.isCaughtUp()) return;
    if (!this.isRegistered) return;
    this.#isKnown = true;
    this.#host.progressed();
  }

  /** Whoever waits hears that nobody can tell. */
  stop(): void {
    this.outcomes.passedOver();
  }

  /** Resolves when no session is being opened. */
  async settled(): Promise<void> {
    await this.#opening;
  }

  /**
   * So that its row is there long before the first seal; of no key that the
   * sidecar knows to be replaced, whose epochs may be spent.
   */
  #beginSession(): void {
    const { custody, sessions } = this.#parts;
    const { active: { storage }, stateIndex } = this.state;
    if (storage === this.#sessionKey || sessions === null) return;
    if (custody.sidecarIndex > stateIndex) return;
    if (!custody.epochs().has(storage)) return;
    this.#sessionKey = storage;
    this.#opening = this.#opening
      .then(() => sessions.open(storage, "storage"))
      .then(() => {}, (error) => this.#host.failed(error));
  }

  #check(): void {
    const { state } = this;
    if (state === this.#checked) return;
    this.#checked = state;
    const epochs = this.#parts.custody.epochs();
    const fault = registryFault(state, this.#writer, {
      epochs,
      asked: this.#asked,
    });
    if (fault !== null) this.#host.failed(fault);
  }

  /** It has applied what earlier members of its name did. */
  get #stands(): boolean {
    const { identity, store } = this.#parts;
    return !isBeforeMember(identity, store.state.applied.index);
  }
}
