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
