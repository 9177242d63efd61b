import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import type { HttpClientPort } from "../io/http.ts";
import { AdminAddressInvalidError, AdminUnreachableError } from "./errors.ts";
import { ClusterAdmin, type GetStatusResponse, Role } from "./gen/admin_pb.ts";
import { fromWireError } from "./wire_error.ts";

const ADMIN_ADDRESSES_MAX = 64;

export interface AdminClientOptions {
  /** One or more `host:port` or `https://host:port`, separated by commas. */
  readonly admin: string;
  readonly token: string;
  /** Dial `host:port` with TLS; `https://` always is. */
  readonly isTls: boolean;
  /** Per member asked. */
  readonly timeoutMs: number;
  readonly http: HttpClientPort;
}

/** Calls to a cluster, through whichever member answers. */
export interface AdminClient {
  /**
   * The cluster as the first member that answers sees it.
   *
   * @throws {AdminUnreachableError} When none does.
   * @throws {NodeError} What the member refused with.
   */
  getStatus(): Promise<ClusterStatus>;
  close(): void;
}

export type ClusterRole =
  | "leader"
  | "follower"
  | "candidate"
  | "learner"
  | "unknown";

export interface ClusterMember {
  readonly name: string;
  readonly role: ClusterRole;
  readonly up: boolean;
  readonly ready: boolean;
  readonly lag: bigint;
  readonly applied: bigint;
  readonly phase: number;
}

export interface ClusterStatus {
  readonly cluster: string;
  readonly clusterId: string;
  /** The member that answered. */
  readonly node: string;
  readonly leader: string;
  readonly term: bigint;
  readonly commit: bigint;
  readonly applied: bigint;
  readonly phase: number;
  readonly ready: boolean;
  readonly members: readonly ClusterMember[];
}

/**
 * Makes a client; dials nothing yet.
 *
 * @throws {AdminAddressInvalidError}
 */
export function makeAdminClient(options: AdminClientOptions): AdminClient {
  const { token, timeoutMs, http } = options;
  const members = adminUrls(options).map((baseUrl) => ({
    baseUrl,
    calls: createClient(
      ClusterAdmin,
      createConnectTransport({
        baseUrl,
        useBinaryFormat: true,
        fetch: (input, init) => http.fetch(new Request(input, init)),
      }),
    ),
  }));
  const headers = { authorization: `Bearer ${token}` };
  return {
    async getStatus() {
      let last: unknown;
      for (const { calls } of members) {
        try {
          return statusOf(await calls.getStatus({}, { headers, timeoutMs }));
        } catch (error) {
          if (!(error instanceof ConnectError)) throw error;
          if (!isSilence(error)) throw fromWireError(error);
          last = error;
        }
      }
      throw new AdminUnreachableError(members.map(({ baseUrl }) => baseUrl), {
        cause: last,
      });
    },
    close: () => http.close(),
  };
}

/** Nobody spoke: refused, cut off, or too late. A member's own error has details. */
function isSilence(error: ConnectError): boolean {
  if (error.details.length > 0) return false;
  return error.code === Code.Unavailable ||
    error.code === Code.DeadlineExceeded || error.code === Code.Canceled ||
    error.cause instanceof TypeError;
}

function adminUrls(options: AdminClientOptions): readonly string[] {
  const addresses = options.admin.split(",").map((text) => text.trim());
  if (addresses.length > ADMIN_ADDRESSES_MAX) {
    throw new AdminAddressInvalidError(`${addresses.length} addresses`);
  }
  return addresses.map((address) => {
    const isComplete = /^https?:\/\//.test(address);
    const scheme = options.isTls ? "https" : "http";
    const text = isComplete ? address : `${scheme}://${address}`;
    const url = URL.canParse(text) ? new URL(text) : null;
    if (
      url === null || address === "" || url.pathname !== "/" ||
      url.search !== "" || url.hash !== "" || url.username !== "" ||
      url.password !== "" || (!isComplete && url.port === "")
    ) {
      throw new AdminAddressInvalidError(address);
    }
    return url.origin;
  });
}

function statusOf(reply: GetStatusResponse): ClusterStatus {
  const { cluster, clusterId, node, leader, term, commit, applied } = reply;
  return {
    cluster,
    clusterId,
    node,
    leader,
    term,
    commit,
    applied,
    phase: reply.phase,
    ready: reply.ready,
    members: reply.members.map((member) => ({
      name: member.name,
      role: ROLES[member.role] ?? "unknown",
      up: member.up,
      ready: member.ready,
      lag: member.lag,
      applied: member.applied,
      phase: member.phase,
    })),
  };
}

const ROLES: Readonly<Record<Role, ClusterRole>> = {
  [Role.UNSPECIFIED]: "unknown",
  [Role.LEADER]: "leader",
  [Role.FOLLOWER]: "follower",
  [Role.CANDIDATE]: "candidate",
  [Role.LEARNER]: "learner",
};
