/** Why a screen must give its terminal back before it was left. */
export type ScreenBreak =
  /** The process is asked to end. */
  | { readonly kind: "signal" }
  /** Nobody is at the other end of the terminal any more. */
  | { readonly kind: "gone" }
  /** The process exits as soon as the handler returns. */
  | { readonly kind: "exit" }
  /** Nobody caught it: a bug. */
  | { readonly kind: "error"; readonly error: unknown };

/** What a full screen needs of this process, besides what it draws on. */
export interface ScreenPort {
  /** Input and output are a terminal that can place its cursor. */
  readonly isTerminal: boolean;
  /** This system can stop a process and go on with it. */
  readonly canStop: boolean;
  /**
   * Follows the size of the terminal, and calls `onBreak` instead of ending
   * the process untidily, until released.
   */
  hold(onBreak: (cause: ScreenBreak) => void): { release(): void };
  /** Stops this process, as Ctrl-Z does; returns when it goes on. */
  stop(): void;
}
