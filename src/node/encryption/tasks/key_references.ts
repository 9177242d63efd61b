import type { KeyId } from "../../../base/data_key.ts";
import { peekRaftEnvelope } from "../../../crypto/raft_envelope.ts";
import { decodeProposal } from "../../../fsm/proposal.ts";
import {
  type Entry,
  ENTRY_NORMAL,
  type LogIndex,
} from "../../../raft/types.ts";
import type { Wal } from "../../../wal/wal.ts";
import { WalCompactedError } from "../../../wal/errors.ts";

/** Entries read at once. */
const FETCH_BYTES = 4 * 2 ** 20;

export interface LogReferences {
  readonly entries: number;
  /** Of the last one; 0 for none. */
  readonly lastIndex: LogIndex;
}

export interface ReferenceSearch {
  readonly keyId: KeyId;
  /** Entries up to this one are in no envelope. */
  readonly raftCutoverIndex: LogIndex;
  readonly isOver: () => boolean;
  /** Told how many entries were looked at. */
  readonly onProgress: (entries: number) => void;
}

/**
 * Looks through all of the log, as far as it goes now, for raft envelopes of a
 * key.
 *
 * @throws {NodeError} The log cannot be read.
 */
export async function findKeyReferences(
  wal: Pick<Wal, "storage" | "fetch">,
  { keyId, raftCutoverIndex, isOver, onProgress }: ReferenceSearch,
): Promise<LogReferences> {
  const until = wal.storage.lastIndex() + 1;
  let entries = 0;
  let lastIndex = 0;
  let seen = 0;
  let from = Math.max(wal.storage.firstIndex(), raftCutoverIndex + 1);
  while (from < until && !isOver()) {
    const run = await fetchRun(wal, from, until);
    if (run === "compacted") {
      from = wal.storage.firstIndex();
      continue;
    }
    // The end was cut off meanwhile: nothing of it is left.
    if (run.length === 0) break;
    for (const entry of run) {
      if (keyOf(entry) !== keyId) continue;
      entries += 1;
      lastIndex = entry.index;
    }
    seen += run.length;
    from += run.length;
    onProgress(seen);
  }
  return { entries, lastIndex };
}

async function fetchRun(
  wal: Pick<Wal, "fetch">,
  from: LogIndex,
  until: LogIndex,
): Promise<readonly Entry[] | "compacted"> {
  try {
    return await wal.fetch(from, until, FETCH_BYTES);
  } catch (error) {
    if (error instanceof WalCompactedError) return "compacted";
    throw error;
  }
}

/** `null` for an entry without an envelope. */
function keyOf({ type, data }: Entry): KeyId | null {
  if (type !== ENTRY_NORMAL || data.length === 0) return null;
  try {
    return peekRaftEnvelope(decodeProposal(data).payload)?.keyId ?? null;
  } catch {
    return null;
  }
}
