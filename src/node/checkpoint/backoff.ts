import type { RaftId } from "../../raft/types.ts";
import {
  CHECKPOINT_BACKOFF_MS_MAX,
  CHECKPOINT_BACKOFF_MS_MIN,
} from "./limits.ts";

/** How long to leave a member alone after attempts that brought nothing. */
export class Backoff {
  /** Attempts in a row that brought nothing. */
  readonly #failures = new Map<RaftId, number>();

  delayMs(peer: RaftId): number {
    const failures = this.#failures.get(peer) ?? 0;
    if (failures === 0) return 0;
    const grown = CHECKPOINT_BACKOFF_MS_MIN * 2 ** (failures - 1);
    return Math.min(grown, CHECKPOINT_BACKOFF_MS_MAX);
  }

  failed(peer: RaftId): void {
    this.#failures.set(peer, (this.#failures.get(peer) ?? 0) + 1);
  }

  succeeded(peer: RaftId): void {
    this.#failures.delete(peer);
  }

  clear(): void {
    this.#failures.clear();
  }
}
