import { fullNodeId, node16Of } from "../../base/identity.ts";

/**
 * Which of the nodes `others`, by full id, would seal under the same half of a
 * nonce as the node called `name`; `null` for none. It is no rival of itself.
 */
export function nonceRival(
  name: string,
  others: Iterable<bigint>,
): bigint | null {
  const own = fullNodeId(name);
  for (const other of others) {
    if (other !== own && node16Of(other) === node16Of(own)) return other;
  }
  return null;
}
