/** Writes that wait for a proposal; beyond it clients get NODE_OVERLOADED. */
export const WAITING_WRITES_MAX = 16_384;

/** Bytes of those writes, counted as keys and values. */
export const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/**
 * What one proposal, and one commit to the store, holds at most, unless a
 * single write is larger. Below the backing store's limits per atomic (1,000
 * mutations, 819,200 bytes, 81,920 of keys) by what rows add to keys and
 * values, so that an ordinary group is one atomic.
 */
export const GROUP_CHANGES_MAX = 480;
export const GROUP_BYTES_MAX = 640_000;
export const GROUP_KEY_BYTES_MAX = 56_000;

/**
 * Proposals handed to the log and not yet durable; the next one gathers.
 * Measured at 64 callers: with one, and with four, fewer writes a second.
 */
export const UNPERSISTED_PROPOSALS_MAX = 2;

/**
 * Proposals of a follower that its leader has and that are not applied here;
 * the next one gathers.
 */
export const FORWARDED_PROPOSALS_MAX = 4;

/** A strong read that nobody confirmed within so many ticks is asked again. */
export const READ_RETRY_TICKS = 4;

/**
 * How long a request waits for a leader, through elections too, before its
 * client hears of it.
 */
export const REQUEST_MS_MAX = 30_000;

/** Reads that wait for one state; beyond it clients get NODE_OVERLOADED. */
export const WAITING_READS_MAX = 16_384;

/** Log bytes after which the store's index is marked and the log compacted. */
export const COMPACT_AFTER_BYTES = 32 * 1024 * 1024;

/**
 * Log that is kept for members that get a checkpoint, beyond what is kept for
 * all: about what 20 MB/s of writes bring while 20 GB travel at 100 MB/s.
 */
export const HOLD_LOG_BYTES_MAX = 4 * 2 ** 30;

/** Entries kept below the mark, for members that are a little behind. */
export const TRAILING_ENTRIES = 5_000;

/** Rows that one sweep removes at most: a bound on how long it delays writes. */
export const SWEEP_ROWS_MAX = 200;

/** Least time between two clock proposals that only serve expiry. */
export const CLOCK_PROPOSAL_MS_MIN = 50;

/** How long a stopping node lets accepted writes end. */
export const DRAIN_MS_MAX = 5_000;

/** How often a member tells the others how it does. */
export const STATE_MS = 500;

/**
 * How long the gate of the raft cutover is closed at most before its marker is
 * proposed; then the attempt is given up.
 */
export const CUTOVER_MS_MAX = 2_000;

/**
 * Payloads that wait in a leader to be sealed and put into its log, those of
 * other members among them; beyond it they are refused, and wait where they are.
 */
export const LINE_ENTRIES_MAX = 1_024;
export const LINE_BYTES_MAX = 64 * 1024 * 1024;

/** How long a backup waits for a leader: callers of commands wait 10 s. */
export const BACKUP_WAIT_MS = 5_000;
