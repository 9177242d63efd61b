import { unreachable } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type {
  KeyId,
  KeyWrap,
  SealingPurpose,
  WrappedKey,
} from "../../base/data_key.ts";
import { decodeEncryption } from "../../fsm/encryption_payload.ts";
import type { EncryptionChange, EncryptionState } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { KeyRequest } from "./change_plan.ts";

export interface KeyChangesHost {
  readonly clock: Clock;
  readonly custody: KeyCustody;
  /** As it is applied here. */
  state(): EncryptionState;
  /** @throws {NotReadyError} The cluster is not founded yet. */
  clusterId(): Bytes;
  /** This node's registration to propose; `null` when there is none. */
  takeRegistration(): Uint8Array | null;
}

/** Makes the entries by which the cluster's keys change, on the leader. */
export class KeyChanges {
  readonly #host: KeyChangesHost;

  constructor(host: KeyChangesHost) {
    this.#host = host;
  }

  /** `null` when nothing is left to be done. */
  async changeOf(request: KeyRequest): Promise<EncryptionChange | null> {
    switch (request.kind) {
      case "bootstrap":
        return await this.bootstrap();
      case "rotate-dek":
        return await this.#rotation(request.purpose);
      case "rewrap-deks":
        return await this.#rewrap(request.keks);
      case "register-writer": {
        const payload = this.#host.takeRegistration();
        return payload === null ? null : decodeEncryption(payload);
      }
      default:
        return unreachable(request);
    }
  }

  async bootstrap(): Promise<EncryptionChange> {
    const keys: WrappedKey[] = [];
    for (const purpose of ["storage", "raft", "state"] as const) {
      const drawn = new Set(keys.map(({ id }) => id));
      keys.push(await this.#draw(purpose, drawn));
    }
    return { kind: "bootstrap", keys };
  }

  /** The KEKs that a rewrap under `keks` means. */
  rewrapUnder(keks: readonly string[]): readonly string[] {
    const [...named] = new Set(keks);
    return named.length === 0 ? this.#host.custody.kekIds.slice(0, 1) : named;
  }

  async #rotation(purpose: SealingPurpose): Promise<EncryptionChange> {
    const replaces = this.#host.state().active[purpose];
    const key = await this.#draw(purpose, new Set());
    return { kind: "rotate-dek", key, replaces };
  }

  #draw(
    purpose: WrappedKey["purpose"],
    drawn: ReadonlySet<KeyId>,
  ): Promise<WrappedKey> {
    const { custody, clock } = this.#host;
    const { keys, retired } = this.#host.state();
    return custody.drawKey({
      clusterId: this.#host.clusterId(),
      purpose,
      taken: (id) => keys.has(id) || retired.has(id) || drawn.has(id),
      createdMs: clock.wallMs(),
    });
  }

  async #rewrap(keks: readonly string[]): Promise<EncryptionChange> {
    const under = this.rewrapUnder(keks);
    const wraps = new Map<KeyId, readonly KeyWrap[]>();
    for (const key of this.#host.state().keys.values()) {
      const { custody } = this.#host;
      const clusterId = this.#host.clusterId();
      wraps.set(key.id, await custody.rewrap(clusterId, key, under));
    }
    return { kind: "rewrap-deks", wraps };
  }
}
