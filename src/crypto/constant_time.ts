/**
 * Tells whether both hold the same bytes, in a time that depends on the
 * lengths only. Compare digests, not secrets, where a length is secret too.
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    difference |= (a[i] as number) ^ (b[i] as number);
  }
  return difference === 0;
}
