import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { NO_KEY } from "../../base/data_key.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import type { StreamKeys } from "../../store/checkpoint/sealed_chunks.ts";
import { encryptionRowBody } from "../../store/encryption_row.ts";
import type { CheckpointState } from "../../store/meta.ts";
import type { SessionRow } from "../../store/session_row.ts";
import { CheckpointInterruptedError } from "../checkpoint/errors.ts";
import type { Identity } from "../identity.ts";
import { asHalt, GIVEN_UP, KekPatience } from "./kek_patience.ts";
import { registeredEpoch, sharedKeysOf, writerNameOf } from "./own_rows.ts";
import { passEarlierLives } from "./pass_earlier_lives.ts";
import { openStreamKeys } from "./stream_keys.ts";
import { isBeforeMember } from "./tenure.ts";

export interface CheckpointKeysParts {
  readonly custody: KeyCustody;
  readonly store: Pick<BufferedStore, "state" | "sessionRows">;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly log: EventLog;
}

/** What a store built from a checkpoint has of this node's own. */
export interface OwnRows {
  /** `null` without keys. */
  readonly encryptionMac: Bytes | null;
  readonly sessions: readonly SessionRow[];
}

/** The keys of a checkpoint, taken over before its store is built. */
export class CheckpointKeys {
  readonly #parts: CheckpointKeysParts;
  readonly #patience: KekPatience;
  #isStopped = false;

  constructor(parts: CheckpointKeysParts) {
    this.#parts = parts;
    this.#patience = new KekPatience(parts.clock, parts.log);
  }

  /**
   * What opens the chunks of a sealed stream with this header: its storage key,
   * which nobody keeps.
   *
   * @throws As `takeOver`.
   */
  async openStream(state: CheckpointState): Promise<StreamKeys> {
    const { index } = state.applied;
    const { custody } = this.#parts;
    return await this.#wait(index, async () => {
      try {
        return await openStreamKeys(
          state,
          (clusterId, key, known) => custody.openKey(clusterId, key, known),
        );
      } catch (error) {
        throw asHalt(error, index);
      }
    });
  }

  /**
   * Makes the keys of a verified checkpoint this node's, durably, while the
   * store in use stays: the sidecar may be ahead of it.
   *
   * @throws {EncryptionHaltedError} This node cannot open them.
   * @throws {CheckpointInterruptedError} It is stopping.
   */
  async takeOver(state: CheckpointState): Promise<OwnRows> {
    if (state.fsm.encryption.stateKey === NO_KEY) {
      return { encryptionMac: null, sessions: [] };
    }
    const encryptionMac = await this.#wait(
      state.applied.index,
      () => this.#absorb(state),
    );
    return { encryptionMac, sessions: await this.#currentSessions() };
  }

  /** Ends a wait for a KEK provider. */
  stop(): void {
    this.#isStopped = true;
    this.#patience.wake();
  }

  async #wait<T>(index: number, task: () => Promise<T>): Promise<T> {
    const isOver = () => this.#isStopped;
    const result = await this.#patience.run(task, isOver, { index });
    if (result !== GIVEN_UP) return result;
    throw new CheckpointInterruptedError("this member is stopping");
  }

  async #absorb({ applied, fsm }: CheckpointState): Promise<Bytes> {
    const { custody, store, identity } = this.#parts;
    const { encryption } = fsm;
    const clusterId = present(fsm.clusterId, "a founded cluster's id");
    const writer = writerNameOf(identity.name);
    try {
      await custody.absorb(
        clusterId,
        sharedKeysOf(encryption),
        (keyId) => registeredEpoch(encryption, writer, keyId),
      );
      // It has registered nothing itself yet.
      if (isBeforeMember(identity, store.state.applied.index)) {
        await passEarlierLives(custody, writer, encryption);
      }
      return await custody.stateMac(
        clusterId,
        encryptionRowBody(encryption),
      );
    } catch (error) {
      throw asHalt(error, applied.index);
    }
  }

  async #currentSessions(): Promise<readonly SessionRow[]> {
    const { custody, store, identity } = this.#parts;
    const { node16 } = writerNameOf(identity.name);
    const epochs = custody.epochs();
    const rows = await store.sessionRows();
    return rows.filter((row) =>
      row.node16 === node16 && row.epoch === epochs.get(row.keyId)
    );
  }
}
