import { encodingSize } from "./entry_size.ts";
import type { RaftState } from "./state.ts";
import type { Entry, LogIndex, RaftId } from "./types.ts";

/**
 * Asks for stable entries of [from, until) that are not in memory.
 *
 * `peer` gets nothing more until they are there; this member's own id stands
 * for entries to apply.
 */
export function requestEntries(
  state: RaftState,
  peer: RaftId,
  range: { readonly from: LogIndex; readonly until: LogIndex },
  bytesMax: number,
): void {
  const need = { ticket: state.nextTicket, peer, ...range, bytesMax };
  state.nextTicket += 1;
  state.fetches.set(peer, need);
  state.needs.push(need);
}

/** Who waits for `ticket`, and waits no longer; `null` when it is stale. */
export function claimTicket(state: RaftState, ticket: number): RaftId | null {
  for (const [peer, need] of state.fetches) {
    if (need.ticket !== ticket) continue;
    state.fetches.delete(peer);
    return peer;
  }
  return null;
}

/** The part of fetched `entries` that may be applied next. */
export function appliableOf(
  entries: readonly Entry[],
  range: { readonly from: LogIndex; readonly until: LogIndex },
  bytesMax: number,
): readonly Entry[] {
  if (entries[0]?.index !== range.from) return [];
  let size = 0;
  let count = 0;
  for (const entry of entries) {
    size += encodingSize(entry);
    if (entry.index >= range.until || (size > bytesMax && count > 0)) break;
    count += 1;
  }
  return entries.slice(0, count);
}
