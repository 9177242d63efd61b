/*
 * Every limit of the data plane, in the units its name says. What the Deno
 * client lets through passes here; @deno/kv checks almost nothing itself, so
 * its users meet these. Source: kvconnect.md §5.
 */

/** Longest key of a mutation, before a versionstamp suffix. As in Deno. */
export const WRITE_KEY_BYTES_MAX = 2_048;

/** A read bound may be a longest key and the 0x00 that makes it exclusive. */
export const READ_KEY_BYTES_MAX = WRITE_KEY_BYTES_MAX + 1;

/** `02` ‖ 20 hex digits ‖ `00`: the string part of M_SET_SUFFIX_…. */
const SUFFIX_BYTES = 22;

/**
 * Bounds for clients that must page past every stored key, suffix included
 * (`sealkv kv export`); asked for with the header LONG_BOUNDS_HEADER.
 */
export const LONG_READ_KEY_BYTES_MAX = READ_KEY_BYTES_MAX + SUFFIX_BYTES;

/** A header of ours; other clients do not send it. */
export const LONG_BOUNDS_HEADER = "x-sealkv-long-bounds";

/** As wide as a read bound: upstream's server takes the same. */
export const CHECK_KEY_BYTES_MAX = READ_KEY_BYTES_MAX;
export const WATCH_KEY_BYTES_MAX = READ_KEY_BYTES_MAX;

/** Also the limit of one value in the backing store. */
export const VALUE_BYTES_MAX = 65_536;

export const READ_RANGES_MAX = 10;
/** Sum of the limits of all ranges of one read. */
export const READ_ENTRIES_MAX = 1_000;

/** Deno sends up to 100 (upstream's server stops at 10). */
export const CHECKS_MAX = 100;
/** Mutations and enqueues together. */
export const MUTATIONS_MAX = 1_000;
/** Keys, values and bounds of one write. */
export const WRITE_BYTES_MAX = 819_200;

export const WATCH_KEYS_MAX = 10;

/**
 * Largest body of a data call: WRITE_BYTES_MAX and the protobuf framing of
 * CHECKS_MAX checks and MUTATIONS_MAX mutations fit more than twice.
 */
export const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** Largest metadata request; both clients send 29 bytes. */
export const METADATA_BODY_BYTES_MAX = 16 * 1024;

/**
 * Watches per remote address and port, so per HTTP/2 connection. Deno.serve
 * allows 200 streams a connection: at least 50 stay for other calls.
 */
export const WATCH_STREAMS_MAX = 150;

/** Well under the 300 s after which Node's fetch gives up a silent body. */
export const WATCH_KEEP_ALIVE_MS = 5_000;

/** Replies up to this size are one buffer, larger ones a stream of chunks. */
export const REPLY_CHUNK_BYTES = 256 * 1024;

/**
 * Entries that reads in progress may hold together; further reads wait.
 * 4,000 entries of VALUE_BYTES_MAX are 250 MiB.
 */
export const READ_ENTRIES_CONCURRENT_MAX = 4 * READ_ENTRIES_MAX;

/** Reads up to this many entries never wait behind large ones. */
export const READ_ENTRIES_SMALL = 10;

/** A streamed reply that nobody takes for this long is cut. */
export const REPLY_STALL_MS = 60_000;

/** Name of a database in `/db/NAME`. */
export const DATABASE_NAME_CHARS_MAX = 128;

/** Data tokens last this long, counted from the exchange, rounded up. */
export const TOKEN_VALID_MS = 24 * 3_600_000;
/** All exchanges of one step get one token, so verified tokens are few. */
export const TOKEN_STEP_MS = 3_600_000;
/** A token works this long past its expiry: clients refresh late. */
export const TOKEN_GRACE_MS = 24 * 3_600_000;
/** Verified tokens remembered; a miss costs one HMAC. */
export const TOKENS_CACHED_MAX = 1_024;

/**
 * `expiresAt` for Deno, which refreshes 10 s before it and so every 30 s:
 * fast to move, and right with a client clock up to 30 s ahead.
 */
export const DENO_EXPIRES_MS = 40_000;
/** `expiresAt` for others: @deno/kv refreshes on each call under 5 minutes. */
export const OTHER_EXPIRES_MS = 3_600_000;

/**
 * Metadata exchanges per remote and window before `expiresAt` becomes
 * TOKEN_VALID_MS ahead. A Deno client whose clock runs 30 s ahead of ours
 * would otherwise ask some 700 times a second; 2 a minute are normal.
 */
export const EXCHANGES_PER_WINDOW_MAX = 10;
export const EXCHANGE_WINDOW_MS = 60_000;
export const EXCHANGE_REMOTES_MAX = 4_096;

/** Databases whose id and endpoint are remembered. */
export const DATABASES_CACHED_MAX = 1_024;
