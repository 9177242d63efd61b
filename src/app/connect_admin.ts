import { type AdminClient, makeAdminClient } from "../admin/client.ts";
import { denoActor } from "../io/deno/actor.ts";
import { denoClock } from "../io/deno/clock.ts";
import { denoHttpClient } from "../io/deno/http.ts";

const TIMEOUT_MS = 10_000;

export interface ConnectAdminOptions {
  /** One or more `host:port` or `https://host:port`, separated by commas. */
  readonly admin: string;
  readonly token: string;
  /** Who asks, for the audit log of the nodes; else user@host. */
  readonly actor?: string;
  /** Dial `host:port` with TLS; `ca` is PEM, trusted besides the system's. */
  readonly tls?: { readonly ca?: string };
  /** Longest wait for one member's answer, and for a leader; else 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Makes a client of a cluster's operators; dials with the first call.
 *
 * @throws {AdminAddressInvalidError}
 */
export function connectAdmin(options: ConnectAdminOptions): AdminClient {
  const { admin, token, tls, timeoutMs = TIMEOUT_MS } = options;
  const actor = options.actor ?? denoActor();
  const isTls = tls !== undefined;
  const http = denoHttpClient(tls?.ca === undefined ? {} : { ca: tls.ca });
  try {
    const clock = denoClock();
    return makeAdminClient({
      admin,
      token,
      actor,
      isTls,
      timeoutMs,
      http,
      clock,
    });
  } catch (error) {
    http.close();
    throw error;
  }
}
