import type { Random } from "../io/random.ts";

/**
 * An address of this machine for each of `ports`: one loopback host that
 * nobody uses, as all of 127.0.0.0/8 is this machine. Elsewhere than on Linux
 * only 127.0.0.1 is, so ports are drawn instead.
 */
export function freeAddresses(
  random: Random,
  ports: readonly number[],
): string[] {
  if (Deno.build.os === "linux") {
    const part = () => 1 + random.below(254);
    const host = `127.${part()}.${part()}.${part()}`;
    return ports.map((port) => `${host}:${port}`);
  }
  const listeners = ports.map(() =>
    Deno.listen({ hostname: "127.0.0.1", port: 0 })
  );
  const addresses = listeners.map(({ addr }) => `127.0.0.1:${addr.port}`);
  for (const listener of listeners) listener.close();
  return addresses;
}
