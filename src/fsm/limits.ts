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
