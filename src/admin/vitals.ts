import type { MessageInitShape } from "@bufbuild/protobuf";
import type { NodeError } from "../base/error.ts";
import type {
  GetVitalsResponse,
  GetVitalsResponseSchema,
  LatencyBucket,
} from "./gen/admin_pb.ts";
import type { LinkOptions, MemberLink } from "./member_link.ts";
import { ofMembers } from "./of_members.ts";

/** How one member does, counted since it was started. */
export interface Vitals {
  readonly node: string;
  readonly uptimeMs: bigint;
  /** Replies of the data plane, watches left out. */
  readonly requests: bigint;
  /** Requests by the time to their reply: cumulative, bounds ascending. */
  readonly latency: readonly {
    /** Seconds; Infinity for the last. */
    readonly bound: number;
    readonly count: bigint;
  }[];
  /** The same of about the last five minutes. */
  readonly recentLatency: Vitals["latency"];
  readonly proposals: bigint;
  readonly elections: bigint;
  /** For how long it has known who leads in this term; 0 for nobody. */
  readonly leaderMs: bigint;
  readonly walSyncs: bigint;
  readonly walBytes: bigint;
  readonly residentBytes: bigint;
  /** Of the file system of the data dir; 0 when the platform hides it. */
  readonly diskFreeBytes: bigint;
  readonly diskTotalBytes: bigint;
  /** Of the largest file of the store; 0 when it cannot be told. */
  readonly storeBytes: bigint;
  /** Envelopes sealed by this process, by key id ascending. */
  readonly seals: readonly {
    readonly keyId: number;
    readonly count: bigint;
  }[];
  /** Whole ones that it gave, oldest first: the last ones of its audit log. */
  readonly backups: readonly GivenBackup[];
}

/** A backup that a member gave to whoever asked. */
export interface GivenBackup {
  /** By the clock of the member. */
  readonly ageMs: bigint;
  /** All that was applied up to this log index is in it. */
  readonly index: bigint;
}

/** What one member says of itself, or why it does not. */
export type MemberVitals =
  & { readonly member: string }
  & (
    | { readonly vitals: Vitals; readonly failure: null }
    | { readonly vitals: null; readonly failure: NodeError }
  );

/** As GetVitals answers it. */
export function vitalsReply(
  { latency, recentLatency, seals, backups, ...numbers }: Vitals,
): MessageInitShape<typeof GetVitalsResponseSchema> {
  return {
    ...numbers,
    latency: latency.map(bucketReply),
    recentLatency: recentLatency.map(bucketReply),
    seals: [...seals],
    backups: [...backups],
  };
}

type Bucket = Vitals["latency"][number];

function bucketReply({ bound, count }: Bucket) {
  return { boundSeconds: bound, count };
}

function bucketOf({ boundSeconds: bound, count }: LatencyBucket): Bucket {
  return { bound, count };
}

/** An answer as callers see it. */
function vitalsOf(reply: GetVitalsResponse): Vitals {
  const { node, uptimeMs, requests, proposals } = reply;
  const { elections, leaderMs } = reply;
  const { walSyncs, walBytes, residentBytes } = reply;
  const { diskFreeBytes, diskTotalBytes, storeBytes } = reply;
  return {
    ...{ node, uptimeMs, requests, proposals, elections, leaderMs },
    ...{ walSyncs, walBytes, residentBytes, diskFreeBytes, diskTotalBytes },
    storeBytes,
    latency: reply.latency.map(bucketOf),
    recentLatency: reply.recentLatency.map(bucketOf),
    seals: reply.seals.map(({ keyId, count }) => ({ keyId, count }))
      .sort((a, b) => a.keyId - b.keyId),
    backups: reply.backups.map(({ ageMs, index }) => ({ ageMs, index })),
  };
}

/** Of each member, in the order of the status. */
export async function vitalsOfMembers(
  options: LinkOptions & { readonly links: readonly MemberLink[] },
): Promise<readonly MemberVitals[]> {
  const answers = await ofMembers(
    options,
    async ({ calls }, call) => vitalsOf(await calls.getVitals({}, call)),
  );
  return answers.map(({ member, answer, failure }) =>
    failure === null
      ? { member, vitals: answer, failure }
      : { member, vitals: null, failure }
  );
}
