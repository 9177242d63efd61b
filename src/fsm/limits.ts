/*
 * What the fsm accepts of one change whatever the edge let through: without
 * these a committed write could make a record that no reader can carry.
 * kvconnect refuses the same sizes before anything is proposed.
 */

/** Longest key of a mutation, before a versionstamp suffix. */
export const KEY_BYTES_MAX = 2_048;
/** Longest key of a record: KEY_BYTES_MAX and the suffix's string part. */
export const RECORD_KEY_BYTES_MAX = KEY_BYTES_MAX + 22;
/** Longest value, also of a sum's result. */
export const VALUE_BYTES_MAX = 65_536;
/** A KvU64. */
export const LE64_BYTES = 8;

/*
 * What the encryption state may grow to, beside its keys: each part has room
 * of its own, so that keys cannot keep a node from registering, nor nodes a key
 * from rotating.
 */

/** Every member (32) under every key (128). */
export const WRITERS_MAX = 4_096;
/** A rotation of both purposes every week for 39 years. */
export const RETIRED_MAX = 4_096;

/** Lines of history that the cluster keeps. */
export const ROLLOUT_EVENTS_MAX = 200;
export const ROLLOUT_ACTOR_BYTES_MAX = 64;
export const ROLLOUT_ACTION_BYTES_MAX = 40;
export const ROLLOUT_DETAIL_BYTES_MAX = 120;
