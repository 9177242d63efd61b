import {
  type Client,
  Code,
  ConnectError,
  createClient,
} from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import type { Clock } from "../io/clock.ts";
import type { HttpClientPort } from "../io/http.ts";
import { ACTOR_HEADER } from "./actor.ts";
import { AdminAddressInvalidError } from "./errors.ts";
import { ClusterAdmin } from "./gen/admin_pb.ts";
import { EncryptionAdmin } from "./gen/encryption_pb.ts";
import { fromWireError } from "./wire_error.ts";

const ADMIN_ADDRESSES_MAX = 64;
/** Servers refuse to promise more. */
const CALL_TIMEOUT_MS_MAX = 600_000;

/** One member as a caller dials it. */
export interface MemberLink {
  readonly baseUrl: string;
  readonly calls: Client<typeof ClusterAdmin>;
  readonly encryption: Client<typeof EncryptionAdmin>;
  readonly trust: LinkTrust;
}

/** What became of the last questions, for who chooses whom to ask next. */
export interface LinkTrust {
  /** It did not answer, or not soon. */
  isSilent: boolean;
  /** It knew no leader: it may be cut off, and tell of the past. */
  isLost: boolean;
}

export interface LinkOptions {
  readonly token: string;
  /** Who asks, for the audit log, as user@host; "" for nobody. */
  readonly actor: string;
  /** Per member asked. */
  readonly timeoutMs: number;
  readonly http: HttpClientPort;
  readonly clock: Clock;
}

export interface CallOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export function linkTo(baseUrl: string, { http }: LinkOptions): MemberLink {
  const transport = createConnectTransport({
    baseUrl,
    useBinaryFormat: true,
    fetch: (input, init) => http.fetch(new Request(input, init)),
  });
  return {
    baseUrl,
    calls: createClient(ClusterAdmin, transport),
    encryption: createClient(EncryptionAdmin, transport),
    trust: { isSilent: false, isLost: false },
  };
}

export function callOptions(
  { token, actor, timeoutMs }: LinkOptions,
): CallOptions {
  const named = actor.replaceAll(/[^\x21-\x7e]/g, "");
  return {
    headers: { authorization: `Bearer ${token}`, [ACTOR_HEADER]: named },
    timeoutMs: Math.min(timeoutMs, CALL_TIMEOUT_MS_MAX),
  };
}

/** A member beside another one, dialled as that one is. */
export function linkBeside(
  { baseUrl }: MemberLink,
  address: string,
  options: LinkOptions & { readonly links: readonly MemberLink[] },
): MemberLink {
  const url = adminUrl(address, baseUrl.startsWith("https:"));
  return options.links.find((link) => link.baseUrl === url) ??
    linkTo(url, options);
}

/**
 * The error back when it says that nobody spoke: refused, cut off, or too late.
 *
 * @throws {NodeError} What the member itself refused with.
 */
export function silenceOf(error: unknown): ConnectError {
  if (!(error instanceof ConnectError)) throw error;
  if (error.details.length > 0) throw fromWireError(error);
  if (
    error.code === Code.Unavailable || error.code === Code.DeadlineExceeded ||
    error.code === Code.Canceled || error.cause instanceof TypeError
  ) return error;
  throw fromWireError(error);
}

/** @throws {AdminAddressInvalidError} */
export function adminUrls(admin: string, isTls: boolean): readonly string[] {
  const addresses = admin.split(",").map((text) => text.trim());
  if (addresses.length > ADMIN_ADDRESSES_MAX) {
    throw new AdminAddressInvalidError(`${addresses.length} addresses`);
  }
  return addresses.map((address) => adminUrl(address, isTls));
}

/** @throws {AdminAddressInvalidError} */
function adminUrl(address: string, isTls: boolean): string {
  const isComplete = /^https?:\/\//.test(address);
  const scheme = isTls ? "https" : "http";
  const text = isComplete ? address : `${scheme}://${address}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null || address === "" || url.pathname !== "/" ||
    url.search !== "" || url.hash !== "" || url.username !== "" ||
    url.password !== "" || (!isComplete && !/:[0-9]+$/.test(address))
  ) {
    throw new AdminAddressInvalidError(address);
  }
  return url.origin;
}
