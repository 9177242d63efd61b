import type { Pace } from "./checkpoint/pace.ts";
import type { StoreState } from "./meta.ts";

export interface StoreCopyOptions {
  /** Bytes per second; as fast as it goes without. */
  readonly pace?: Pace;
}

/** A second store with all rows of one that goes on being written. */
export interface StoreCopy {
  /** Rows copied so far, and their bytes. */
  readonly rows: number;
  readonly bytes: number;
  /**
   * Copies all rows, and most of what changed meanwhile. Once.
   *
   * @throws {StoreClosedError} The store was closed, or `close` was called.
   */
  fill(): Promise<void>;
  /**
   * Brings over what is left, with the state, the sessions and marks, durably:
   * a store opened on the copy then is the store. Once, after `fill`, while no
   * batch is under way or given; the state that it has.
   */
  finish(): Promise<StoreState>;
  /** Ends it at any moment, also after `finish`; again does nothing. */
  close(): Promise<void>;
}
