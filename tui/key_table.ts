/** What a key does on a screen; the footer and the help are made of these. */
export interface KeyBinding {
  /** As it is shown: "Enter", "Up/Dn", "q". */
  readonly keys: string;
  /** One or two words for the footer; "" where only the help has it. */
  readonly brief: string;
  /** One sentence for the help. */
  readonly does: string;
}
