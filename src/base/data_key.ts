import type { Bytes } from "./bytes.ts";

/** u32 name of a data key, drawn at random, never 0 and never used again. */
export type KeyId = number;
/** In the place of a key id: none. */
export const NO_KEY: KeyId = 0;
export const KEY_ID_MAX: KeyId = 2 ** 32 - 1;

/**
 * What a data key is for: records at rest, log entries, or (one key, never
 * active) the MACs of sidecar and state row.
 */
export const KEY_PURPOSES = ["storage", "raft", "state"] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/** Purposes that seal: they have an active key, sessions and epochs. */
export const SEALING_PURPOSES = ["storage", "raft"] as const;
export type SealingPurpose = (typeof SEALING_PURPOSES)[number];

/** The purpose as one byte, as formats and derivations write it. */
export const PURPOSE_BYTE: Readonly<Record<KeyPurpose, number>> = {
  storage: 1,
  raft: 2,
  state: 3,
};

/** A data key as one KEK keeps it. */
export interface KeyWrap {
  /** Names the KEK; 1 to KEK_ID_BYTES_MAX visible ASCII characters. */
  readonly kek: string;
  /** 1 to WRAPPED_BYTES_MAX bytes. */
  readonly wrapped: Bytes;
}

/** A data key without the key: what everybody may see of it. */
export interface WrappedKey {
  readonly id: KeyId;
  readonly purpose: KeyPurpose;
  /** 32 bytes; an unwrapped key is checked against it. */
  readonly commitment: Bytes;
  /** Unix ms up to CREATED_MS_MAX, by the clock of the leader that drew it. */
  readonly createdMs: number;
  /** 1 to WRAPS_MAX, no KEK twice; any one that opens is enough. */
  readonly wraps: readonly KeyWrap[];
}

export const DATA_KEY_BYTES = 32;
export const COMMITMENT_BYTES = 32;
export const SALT_BYTES = 32;
/** Live keys of a cluster, the state key included. */
export const KEYS_MAX = 128;
export const WRAPS_MAX = 8;
/** The last ms that an ISO date of four-digit years names. */
export const CREATED_MS_MAX = Date.UTC(10_000, 0) - 1;
export const KEK_ID_BYTES_MAX = 512;
export const WRAPPED_BYTES_MAX = 1_024;

/** Sessions of one node under one key, counted from 1 in 16 bits. */
export const EPOCH_MAX = 0xffff;
/** From here on the leader rotates the key. */
export const EPOCH_WARNING = 0xff00;
