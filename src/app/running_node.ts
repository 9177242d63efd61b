import type { Address } from "../base/address.ts";

/** A node with its listeners open. */
export interface RunningNode {
  /** What the listeners bound. */
  readonly addresses: {
    readonly listen: Address;
    readonly peer: Address;
    readonly admin: Address;
  };
  /** Resolves once it serves its clients; rejects when it stops before. */
  readonly ready: Promise<void>;
  /**
   * Resolves with the error when the node stops by itself; it has closed
   * everything by then. Never resolves for `stop`.
   */
  readonly failure: Promise<unknown>;
  /** Ends requests, closes everything and releases the data dir. */
  stop(): Promise<void>;
}
