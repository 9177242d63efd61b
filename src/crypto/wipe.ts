/** Overwrites secret bytes that are needed no more. */
export function wipe(bytes: Uint8Array): void {
  bytes.fill(0);
}
