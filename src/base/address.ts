/** Where a listener binds or a client dials. */
export interface Address {
  readonly hostname: string;
  /** 0 lets the system choose when binding. */
  readonly port: number;
}

const PORT_MAX = 65_535;
const HOSTNAME_LENGTH_MAX = 253;

/** Reads `host:port` or `[v6]:port`; `null` for anything else. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):([0-9]{1,5})$/
    .exec(text);
  if (match === null) return null;
  const [, v6, name, portText] = match;
  const hostname = v6 ?? name ?? "";
  const port = Number(portText);
  if (port > PORT_MAX || hostname.length > HOSTNAME_LENGTH_MAX) return null;
  if (v6 !== undefined && !v6.includes(":")) return null;
  return Object.freeze({ hostname, port });
}

/** Writes what `parseAddress` reads. */
export function formatAddress({ hostname, port }: Address): string {
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** Tells whether only this machine can reach `hostname`. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/.test(hostname);
}
