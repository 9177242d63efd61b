let count = 0;

/**
 * A loopback address that no other test uses: all of 127.0.0.0/8 is this
 * machine (Linux; elsewhere only 127.0.0.1 is, and ports are drawn anyway).
 */
export function loopbackAddress(): string {
  if (Deno.build.os !== "linux") return "127.0.0.1";
  count += 1;
  return `127.${1 + Deno.pid % 200}.${1 + (Deno.pid >> 8) % 200}.${
    count % 250 + 1
  }`;
}
