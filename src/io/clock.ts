/** Time as the node sees it. */
export interface Clock {
  /** Unix time in ms; may jump. */
  wallMs(): number;
  /** Ms since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`. */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` once what is ready now is done: events that come together. */
  soon(task: () => void): void;
}

export interface Timer {
  /** After this the task does not run. */
  cancel(): void;
}
