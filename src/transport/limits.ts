/**
 * One frame's body. A message of raft holds about 1 MiB of entries, or a
 * single larger one: a proposal of one write, which stays below 1 MiB too.
 */
export const FRAME_BYTES_MAX = 16 * 2 ** 20;

/**
 * A frame before its sender is proven; the longest, a hello with the longest
 * names and address and 128 epochs, has 1,318 bytes.
 */
export const HELLO_BYTES_MAX = 1_536;

/** Queued messages are sent together up to this size of a frame. */
export const BATCH_BYTES_TARGET = 2 ** 20;

/** Entries of one message: 1 MiB of raft's smallest, of 4 bytes each. */
export const MESSAGE_ENTRIES_MAX = 2 ** 18;

/** Raft's own contexts have 8 and 16 bytes. */
export const CONTEXT_BYTES_MAX = 1024;

/** A packet of the node's own: one client's write, passed on, and its frame. */
export const PACKET_BYTES_MAX = 4 * 2 ** 20;

/** A frame of a bulk transfer. */
export const STREAM_FRAME_BYTES_MAX = 2 ** 20;

/** Frames of a bulk transfer that were read ahead of `read`. */
export const STREAM_FRAMES_AHEAD = 2;

/** How long a closed bulk transfer lets the other side read to its end. */
export const STREAM_LINGER_MS_MAX = 30_000;

/** Bulk transfers that one peer has open towards this node. */
export const STREAMS_PER_PEER_MAX = 4;

/** Twice what raft lets be in flight to one member. */
export const LINK_QUEUE_BYTES_MAX = 32 * 2 ** 20;

/** Room on top of it that only small messages use: heartbeats, votes, acks. */
export const LINK_RESERVE_BYTES = 2 ** 20;

/** What counts as small. */
export const SMALL_BYTES_MAX = 1024;

/** Connections at once that have not proven themselves. */
export const UNPROVEN_MAX = 64;

/** Of those, from one address. */
export const UNPROVEN_PER_HOST_MAX = 16;

/** From TCP's first packet to the end of TLS. */
export const DIAL_MS_MAX = 3_000;

/** From the first byte of a hello to the end of the handshake. */
export const HELLO_MS_MAX = 3_000;

/** An end that sent nothing for so long sends a sign of life. */
export const KEEPALIVE_MS = 500;

/** Keepalive intervals without a byte after which the other end is gone. */
export const SILENT_INTERVALS_MAX = 6;

/** Waits between dials grow from the first to the second. */
export const REDIAL_MS_MIN = 50;
export const REDIAL_MS_MAX = 2_000;

/** A link that held for so long is redialled without delay when it breaks. */
export const STEADY_MS_MIN = 2_000;

/** How long `close` lets queued messages leave. */
export const CLOSE_MS_MAX = 500;

/** Like events of one source are written once in so long. */
export const EVENT_WINDOW_MS = 30_000;

/** Events that strangers can cause, of all sources, in that time. */
export const EVENTS_PER_WINDOW_MAX = 32;
