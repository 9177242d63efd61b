/** Of a cluster id. Source: docs/formats.md, Identity. */
export const CLUSTER_ID_BYTES = 16;

const NODE_NAME = /^[a-z0-9.-]{1,63}$/;
const CLUSTER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export const NODE_NAME_RULE =
  'a node name: 1 to 63 of "a-z", "0-9", "-" and "."';
export const CLUSTER_NAME_RULE =
  'a cluster name: 1 to 63 of "A-Z", "a-z", "0-9", "-", "_" and ".", ' +
  "a letter or digit first";

/**
 * Tells whether `text` can name a member. Source: docs/formats.md, Identity.
 *
 * A name is also a directory of the data home, so "." and ".." are none.
 */
export function isNodeName(text: string): boolean {
  return NODE_NAME.test(text) && text !== "." && text !== "..";
}

export function isClusterName(text: string): boolean {
  return CLUSTER_NAME.test(text);
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/**
 * The number that stands for a node in encryption: FNV-1a-64 of its name; 1
 * for a name that gives 0. "n1" is 08b37b07b558d4c0.
 *
 * Source: docs/formats_encryption.md, Names.
 */
export function fullNodeId(name: string): bigint {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return hash === 0n ? 1n : hash;
}

/** Low 16 bits of a full node id: what nonces have room for. */
export function node16Of(fullNodeId: bigint): number {
  return Number(BigInt.asUintN(16, fullNodeId));
}
