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
  const last = lines.at(-1);
  // One line that is longer than all that was read tells nothing.
  if (last === undefined) return { previous: CHAIN_START, isBroken: !isWhole };
  return { previous: lineHash(last), isBroken: isBroken(lines, isWhole) };
}

/** From the end, so that only lines that hold together cost a hash. */
function isBroken(lines: readonly string[], isWhole: boolean): boolean {
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const link = linkOf(lines[at] ?? "");
    if (link === null) return true;
    if (link.event === CHAIN_BEGUN) return link.previous !== CHAIN_START;
    const before = lines[at - 1];
    if (before === undefined) return isWhole && link.previous !== CHAIN_START;
    if (link.previous !== lineHash(before)) return true;
  }
  return false;
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
  const { previous, event } = fieldsIn(line);
  return typeof previous === "string" ? { previous, event } : null;
}

/** What a line says, as nobody has checked; nothing for what is no object. */
export function fieldsIn(line: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return {};
  }
  return typeof parsed === "object" && parsed !== null
    ? parsed as Record<string, unknown>
    : {};
}
