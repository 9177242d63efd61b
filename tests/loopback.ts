/**
 * A loopback address that no other test uses, so default ports are free: all
 * of 127.0.0.0/8 is this machine. One of 16 million, drawn, since tests run in
 * several processes and threads. Elsewhere than on Linux only 127.0.0.1 is.
 */
export function loopbackAddress(): string {
  if (Deno.build.os !== "linux") return "127.0.0.1";
  const [a, b, c] = crypto.getRandomValues(new Uint8Array(3))
    .map((byte) => 1 + byte % 254);
  return `127.${a}.${b}.${c}`;
}
