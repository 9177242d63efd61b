import { type ChangeOptions, type Terms, termsOf } from "./change_terms.ts";
import type { ClusterStatus } from "./cluster_status.ts";
import { type EncryptionCalls, encryptionCalls } from "./encryption_client.ts";
import { AdminUnreachableError } from "./errors.ts";
import { firstStatus } from "./first_answer.ts";
import type { Change } from "./gen/admin_pb.ts";
import { callLeader } from "./leader_call.ts";
import {
  adminUrls,
  callOptions,
  type LinkOptions,
  linkTo,
  type MemberLink,
  silenceOf,
} from "./member_link.ts";
import { type StatusEvent, watchStatus } from "./status_watch.ts";
import { type MemberVitals, vitalsOfMembers } from "./vitals.ts";

export type { AcceptableRisk } from "./change_request.ts";
export type { ChangeOptions } from "./change_terms.ts";
export type {
  ClusterMember,
  ClusterReplication,
  ClusterRole,
  ClusterStatus,
} from "./cluster_status.ts";
export type { EncryptionOutcome } from "./encryption_changes.ts";
export type {
  EncryptionStateCopy,
  MemberEncryption,
} from "./encryption_client.ts";
export type {
  ClusterEncryption,
  ClusterKey,
  ClusterKeyPurpose,
  ClusterKeyWriter,
  MemberCapability,
} from "./encryption_status.ts";
export type {
  ClusterChangeUnderWay,
  ClusterEvent,
  ClusterRecordCounts,
  ClusterRewrite,
  ClusterRewriteProgress,
  ClusterRollout,
  ClusterScan,
  ClusterTask,
  ClusterTaskState,
} from "./rollout_status.ts";
export type { StatusEvent } from "./status_watch.ts";
export type { GivenBackup, MemberVitals, Vitals } from "./vitals.ts";

export interface AdminClientOptions extends LinkOptions {
  /** One or more `host:port` or `https://host:port`, separated by commas. */
  readonly admin: string;
  /** Dial `host:port` with TLS; `https://` always is. */
  readonly isTls: boolean;
}

export interface ChangeOutcome {
  readonly plan: { readonly hash: string; readonly steps: readonly string[] };
  /** False for a dry run, and when all was as asked already. */
  readonly changed: boolean;
  /** Raft id of the member it is about. */
  readonly memberId: bigint;
}

export interface NewMember {
  readonly name: string;
  /** HOST:PORT that other members dial. */
  readonly peerAddress: string;
  /** Make it a voter when it has caught up; else it stays a learner. */
  readonly promote: boolean;
}

/**
 * Calls to a cluster, through whichever member answers. Changes go to the
 * leader, found from any member within the timeout; what all of them throw:
 *
 * - AdminUnreachableError when no member answers;
 * - AdminNoLeaderError when none leads;
 * - AdminOutcomeUnknownError when the leader did not answer a change;
 * - any NodeError that the member refused with.
 */
export interface AdminClient extends EncryptionCalls {
  /**
   * The cluster as the first member that answers sees it, or one that knows a
   * leader when that one knows none.
   */
  getStatus(): Promise<ClusterStatus>;
  /**
   * The status and every change of it, from the next member when one goes
   * silent, until `signal` is aborted or the loop is left.
   */
  watchStatus(signal?: AbortSignal): AsyncIterable<StatusEvent>;
  /** How each member does, in the order of the status. */
  vitalsOfMembers(): Promise<readonly MemberVitals[]>;
  /** Adds a learner. */
  addMember(member: NewMember, options?: ChangeOptions): Promise<ChangeOutcome>;
  promoteMember(name: string, options?: ChangeOptions): Promise<ChangeOutcome>;
  /** One-way: wants `confirm`. */
  removeMember(name: string, options?: ChangeOptions): Promise<ChangeOutcome>;
  /** `name` "": the voter that is furthest. */
  transferLeader(name: string, options?: ChangeOptions): Promise<ChangeOutcome>;
  /**
   * A consistent copy of the store in pieces, from the first member that
   * answers; whole when the loop ends without an error.
   */
  backup(): AsyncIterable<Uint8Array>;
  close(): void;
}

/**
 * Makes a client; dials nothing yet.
 *
 * @throws {AdminAddressInvalidError}
 */
export function makeAdminClient(options: AdminClientOptions): AdminClient {
  const links = adminUrls(options.admin, options.isTls)
    .map((baseUrl) => linkTo(baseUrl, options));
  const { clock } = options;
  const change = async (
    given: ChangeOptions | undefined,
    send: (link: MemberLink, terms: Terms) => Promise<ChangeReply>,
  ) => {
    const terms = termsOf(given);
    const reply = await callLeader(
      { ...options, links, isRepeatable: terms.dryRun },
      (link) => send(link, terms),
    );
    return outcomeOf(reply.change);
  };
  const call = callOptions(options);
  return {
    ...encryptionCalls({ ...options, links }),
    getStatus: async () => (await firstStatus(links, options)).status,
    watchStatus: (signal = new AbortController().signal) =>
      watchStatus({ ...options, links, clock, signal }),
    vitalsOfMembers: () => vitalsOfMembers({ ...options, links }),
    addMember: (member, given) =>
      change(
        given,
        ({ calls }, terms) => calls.addMember({ ...member, ...terms }, call),
      ),
    promoteMember: (name, given) =>
      change(
        given,
        ({ calls }, terms) => calls.promoteMember({ name, ...terms }, call),
      ),
    removeMember: (name, given) =>
      change(
        given,
        ({ calls }, terms) => calls.removeMember({ name, ...terms }, call),
      ),
    transferLeader: (name, given) =>
      change(
        given,
        ({ calls }, terms) => calls.transferLeader({ name, ...terms }, call),
      ),
    backup: () => backup(links, options),
    close: () => options.http.close(),
  };
}

interface ChangeReply {
  readonly change?: Change | undefined;
}

function outcomeOf(change: Change | undefined): ChangeOutcome {
  const { hash = "", steps = [] } = change?.plan ?? {};
  return {
    plan: { hash, steps },
    changed: change?.changed ?? false,
    memberId: change?.memberId ?? 0n,
  };
}

/** Only before its first piece may a copy come from another member. */
async function* backup(
  links: readonly MemberLink[],
  options: AdminClientOptions,
): AsyncGenerator<Uint8Array, void> {
  const { clock, timeoutMs } = options;
  const { headers } = callOptions(options);
  const baseUrls = links.map(({ baseUrl }) => baseUrl);
  let last: unknown;
  for (const { baseUrl, calls } of links) {
    const cut = new AbortController();
    const listen = () => clock.after(timeoutMs, () => cut.abort());
    let timer = listen();
    let isBegun = false;
    try {
      const { signal } = cut;
      for await (const { piece } of calls.backup({}, { headers, signal })) {
        timer.cancel();
        // Without bytes it says that the copy is being made.
        if (piece.length > 0) {
          isBegun = true;
          yield piece;
        }
        timer = listen();
      }
      return;
    } catch (error) {
      last = silenceOf(error);
      if (isBegun) throw new AdminUnreachableError([baseUrl], { cause: last });
    } finally {
      timer.cancel();
      cut.abort();
    }
  }
  throw new AdminUnreachableError(baseUrls, { cause: last });
}
