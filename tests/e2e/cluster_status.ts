import { ADMIN_TOKEN } from "./node_process.ts";

const STATUS_PATH = "/sealkv.admin.v1.ClusterAdmin/GetStatus";
const ANSWER_MS_MAX = 2_000;

export interface SeenMember {
  readonly name: string;
  /** As the admin RPC names it, in lower case: leader, follower, … */
  readonly role: string;
  /** How the leader feeds it, the same way: probe, replicate, snapshot. */
  readonly replication: string;
  readonly isVoter: boolean;
  readonly up: boolean;
  readonly ready: boolean;
  readonly lag: number;
  readonly applied: number;
}

/** The cluster as one member sees it. */
export interface SeenStatus {
  readonly cluster: string;
  readonly node: string;
  /** "" when unknown. */
  readonly leader: string;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly ready: boolean;
  readonly members: readonly SeenMember[];
}

/**
 * Asks one member as any program may: JSON over HTTP, in which what is zero is
 * left out. `null` when it does not answer, or not in time.
 */
export async function statusAt(admin: string): Promise<SeenStatus | null> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS_MAX);
  try {
    const response = await fetch(`http://${admin}${STATUS_PATH}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        "content-type": "application/json",
      },
      body: "{}",
      signal: late.signal,
    });
    if (!response.ok) {
      // A node that stops answers in plain text.
      await response.body?.cancel();
      return null;
    }
    return statusOf(await response.json());
  } catch (error) {
    // Refused, cut off, or too late.
    if (error instanceof TypeError || late.signal.aborted) return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

interface StatusReply extends Partial<Record<string, unknown>> {
  readonly members?: readonly Partial<Record<string, unknown>>[];
}

function statusOf(reply: StatusReply): SeenStatus {
  const { members = [] } = reply;
  return {
    cluster: String(reply["cluster"] ?? ""),
    node: String(reply["node"] ?? ""),
    leader: String(reply["leader"] ?? ""),
    term: Number(reply["term"] ?? 0),
    commit: Number(reply["commit"] ?? 0),
    applied: Number(reply["applied"] ?? 0),
    ready: reply["ready"] === true,
    members: members.map((member) => ({
      name: String(member["name"] ?? ""),
      role: wordOf(member["role"]),
      replication: wordOf(member["replication"]),
      isVoter: member["isVoter"] === true,
      up: member["up"] === true,
      ready: member["ready"] === true,
      lag: Number(member["lag"] ?? 0),
      applied: Number(member["applied"] ?? 0),
    })),
  };
}

/** `ROLE_LEADER` → leader. */
function wordOf(name: unknown): string {
  return String(name ?? "").replace(/^[A-Z]+_/, "").toLowerCase();
}
