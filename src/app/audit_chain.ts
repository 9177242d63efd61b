import { toHex, utf8 } from "../base/bytes.ts";
import { sha256 } from "../base/sha256.ts";

/** In the place of a hash: no line before this one. */
export const CHAIN_START = "0".repeat(64);
/** Says in `event` that a line begins a chain. */
export const CHAIN_BEGUN = "chain_begun";

/** What the next line names: SHA-256 of `line` without its line break. */
export function lineHash(line: string): string {
  return toHex(sha256(utf8(line)));
}

/** What the lines of a log, or its last ones, say about themselves. */
export interface ChainEnd {
  /** Hash of the last line; CHAIN_START for no lines. */
  readonly previous: string;
  /** Some line since the last beginning does not name the one before it. */
  readonly isBroken: boolean;
}

/**
 * Follows the chain through `lines`; `isWhole` when the first of them is the
 * first of the log.
 */
export function followChain(
  lines: readonly string[],
  { isWhole }: { readonly isWhole: boolean },
): ChainEnd {
  let previous: string | null = isWhole ? CHAIN_START : null;
  let isBroken = false;
  for (const line of lines) {
    const link = linkOf(line);
    if (link !== null && link.event === CHAIN_BEGUN) {
      isBroken = link.previous !== CHAIN_START;
    } else if (link === null) isBroken = true;
    else if (previous !== null && link.previous !== previous) isBroken = true;
    previous = lineHash(line);
  }
  // One line that is longer than all that was read tells nothing.
  return {
    previous: previous ?? CHAIN_START,
    isBroken: isBroken || previous === null,
  };
}

/** Tells whether `line` can be one of an audit log. */
export function isLink(line: string): boolean {
  return linkOf(line) !== null;
}

interface Link {
  readonly previous: string;
  readonly event: unknown;
}

/** `null` for what is no line of an audit log. */
function linkOf(line: string): Link | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const { previous, event } = parsed as Record<string, unknown>;
  return typeof previous === "string" ? { previous, event } : null;
}
