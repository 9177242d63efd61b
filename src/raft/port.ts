/**
 * Where the core's event lines go, one function per level; a level that is
 * left out costs nothing.
 *
 * Callers write `log?.info?.(…)`: the text is only built when someone listens.
 */
export interface RaftLog {
  readonly debug?: (text: string) => void;
  readonly info?: (text: string) => void;
  readonly warn?: (text: string) => void;
  readonly error?: (text: string) => void;
}
