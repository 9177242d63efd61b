/** Length of the digest that identifies a checkpoint: a SHA-256. */
export const DIGEST_BYTES = 32;

/** A frame with its head; a piece of a file is shorter by PIECE_HEAD_BYTES. */
export const CHECKPOINT_FRAME_BYTES_MAX = 256 * 1024;

/** 1 TiB: no store of ours; a length above it is a mistake or an attack. */
export const CHECKPOINT_BYTES_MAX = 2 ** 40;

/** Members that are sent to at a time; they share one file. */
export const CHECKPOINT_SENDS_MAX = 2;

/** Without progress for so long, a connection counts as broken. */
export const CHECKPOINT_STALL_MS = 30_000;

/** How often a member that verifies and installs says so: before a stall. */
export const CHECKPOINT_WORKING_MS = CHECKPOINT_STALL_MS / 6;

/** Attempts in a row that bring nothing, after which a send has failed. */
export const CHECKPOINT_ATTEMPTS_MAX = 8;

/** Wait after the first attempt that brought nothing; doubles up to the max. */
export const CHECKPOINT_BACKOFF_MS_MIN = 250;
export const CHECKPOINT_BACKOFF_MS_MAX = 10_000;

/** How long a finished file that nobody uses waits for its next use. */
export const CHECKPOINT_KEEP_MS = 60_000;

/** How long the log waits for a member that has got its checkpoint. */
export const CHECKPOINT_GRACE_MS = 5 * 60_000;

/** A member this little behind is fed from TRAILING_ENTRIES anyway. */
export const CAUGHT_UP_ENTRIES = 1_000;

/** Received bytes between two syncs: what a crash can cost. */
export const CHECKPOINT_NOTE_BYTES = 16 * 2 ** 20;

/** Disk that stays free beside a received file and its store: the log's. */
export const CHECKPOINT_SPACE_RESERVE_BYTES = 256 * 2 ** 20;

/** How long an answer may take to reach a sender that is still sending. */
export const CHECKPOINT_LINGER_MS = 2_000;

/** Streams that a member looks at at a time; more are closed at once. */
export const CHECKPOINT_STREAMS_MAX = 8;

/** Least bytes a second of a throttle: pieces of one second stay frames. */
export const CHECKPOINT_RATE_MIN = 1_024;
