import {
  EPOCH_WARNING,
  SEALING_PURPOSES,
  type SealingPurpose,
} from "../../base/data_key.ts";
import { NodeError } from "../../base/error.ts";
import type { EncryptionState } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { LogIndex } from "../../raft/types.ts";

export interface WornKeysHost {
  readonly clock: Clock;
  readonly log: EventLog;
  /** As it is applied here. */
  state(): EncryptionState;
  /** Whether a change may begin here now. */
  isFree(): boolean;
  /** As an operator would; answers with the index of the entry. */
  rotate(purpose: SealingPurpose): Promise<LogIndex>;
}

/** A rotation that the leader asks for itself and that failed is asked again. */
const ROTATE_AGAIN_MS = 60_000;

/** Rotates keys, on the leader, before members use their epochs up. */
export class WornKeys {
  readonly #host: WornKeysHost;
  #rotatedMs = -Infinity;

  constructor(host: WornKeysHost) {
    this.#host = host;
  }

  /**
   * Begins to rotate a key whose rows come near the last epoch; a failure is
   * told and tried again later. For ticks.
   */
  rotate(): void {
    const { clock } = this.#host;
    if (!this.#host.isFree()) return;
    const purpose = wornPurpose(this.#host.state());
    if (purpose === null) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#rotatedMs < ROTATE_AGAIN_MS) return;
    this.#rotatedMs = nowMs;
    void this.#rotate(purpose);
  }

  async #rotate(purpose: SealingPurpose): Promise<void> {
    const { log } = this.#host;
    try {
      const index = await this.#host.rotate(purpose);
      log.write("info", "encryption_key_rotated", { purpose, index });
      // Keys wear together: the other one need not wait.
      this.#rotatedMs = -Infinity;
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      const { code } = error;
      log.write("warn", "encryption_rotation_failed", { purpose, code });
    }
  }
}

/** A purpose whose active key some member has nearly used up. */
function wornPurpose(
  { active, writers }: EncryptionState,
): SealingPurpose | null {
  for (const purpose of SEALING_PURPOSES) {
    const keyId = active[purpose];
    for (const row of writers.values()) {
      if (row.keyId === keyId && row.lastEpoch >= EPOCH_WARNING) return purpose;
    }
  }
  return null;
}
