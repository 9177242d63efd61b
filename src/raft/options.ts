import { assert } from "../base/assert.ts";
import type { RaftLog } from "./port.ts";
import type { ConfState, LogIndex, LogStorage, RaftId } from "./types.ts";

/** What only the caller knows. */
export interface RequiredRaftOptions {
  readonly id: RaftId;
  readonly storage: LogStorage;
  /** Uniform draw from [0, count): spreads election timeouts. */
  readonly randomTicks: (count: number) => number;
}

/** How a member behaves. */
export interface RaftOptions extends RequiredRaftOptions {
  /** Index up to which the state machine holds entries; 0 for a new one. */
  readonly applied: LogIndex;
  /** Membership at `applied`; `null` takes the one stored in the log. */
  readonly confState: ConfState | null;
  /** Ticks without a leader before a campaign; drawn from [n, 2n). */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Encoding size of the entries of one append message. */
  readonly messageBytesMax: number;
  /** Encoding size of entries handed out and not yet applied. */
  readonly applyBytesMax: number;
  /** Data of entries proposed and not yet applied. */
  readonly uncommittedBytesMax: number;
  readonly inflightCountMax: number;
  /** Data on its way to one member; 0 is no limit. */
  readonly inflightBytesMax: number;
  readonly preVote: boolean;
  /** Leaders that hear no quorum step down; members that hear one don't vote. */
  readonly checkQuorum: boolean;
  readonly stepDownOnRemoval: boolean;
  /** Followers pass proposals on to their leader. */
  readonly forwardProposals: boolean;
  /** Off only for callers who serialize changes of membership themselves. */
  readonly vetConfChanges: boolean;
  /** Reads trust the check of the quorum; unsafe when processes pause. */
  readonly leaseReads: boolean;
  /** Ticks until an unreported checkpoint counts as failed; 0 never. */
  readonly snapshotTicksMax: number;
  /**
   * Highest index that a write torn by a crash may have held, 0 for none: until
   * the commit index gets there, or the tail is trusted, this member neither
   * campaigns nor votes, as it may have acknowledged what it lost.
   */
  readonly tailSuspect: LogIndex;
  /**
   * Ticks from the start in which this member helps nobody to replace a leader:
   * it may have told one, just before, that it would not (check of the quorum).
   */
  readonly quietTicks: number;
  readonly log: RaftLog | null;
}

const ELECTION_TICKS = 10;

const DEFAULTS: Omit<RaftOptions, keyof RequiredRaftOptions> = {
  applied: 0,
  confState: null,
  electionTicks: ELECTION_TICKS,
  heartbeatTicks: 1,
  messageBytesMax: 1024 * 1024,
  applyBytesMax: 16 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  inflightCountMax: 16,
  inflightBytesMax: 16 * 1024 * 1024,
  preVote: true,
  checkQuorum: true,
  stepDownOnRemoval: true,
  forwardProposals: true,
  vetConfChanges: true,
  leaseReads: false,
  snapshotTicksMax: 10 * ELECTION_TICKS,
  tailSuspect: 0,
  quietTicks: 0,
  log: null,
};

/**
 * Completes `given` with what a member should do unless it has a reason.
 *
 * @throws {InvariantError} When the options contradict each other.
 */
export function raftOptions(
  given: RequiredRaftOptions & Partial<RaftOptions>,
): RaftOptions {
  const options = { ...DEFAULTS, ...given };
  assert(
    Number.isSafeInteger(options.id) && options.id > 0,
    "a member's id is a safe integer above 0",
  );
  assert(options.heartbeatTicks > 0, "heartbeats take at least a tick");
  assert(
    options.electionTicks > options.heartbeatTicks,
    "an election timeout is longer than a heartbeat",
  );
  assert(options.inflightCountMax > 0, "a message may be on its way");
  assert(
    options.inflightBytesMax === 0 ||
      options.inflightBytesMax >= options.messageBytesMax,
    "a full message may be on its way",
  );
  assert(options.applyBytesMax > 0, "an entry may be applied");
  assert(
    options.checkQuorum || !options.leaseReads,
    "lease reads need the check of the quorum",
  );
  return options;
}
