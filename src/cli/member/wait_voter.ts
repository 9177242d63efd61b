import type { AdminClient, ClusterMember } from "../../admin/client.ts";
import { UnfinishedError } from "../errors.ts";
import { untilInterrupted } from "../interrupt.ts";
import type { Services } from "../services.ts";

export interface VoterWait {
  readonly name: string;
  readonly waitMs: number;
  readonly isJson: boolean;
}

/**
 * Waits until the cluster has made a learner a voter; true when a stop signal
 * ended the wait: the cluster goes on by itself.
 *
 * @throws {UnfinishedError} When it is none after `waitMs`.
 */
export async function waitForVoter(
  services: Services,
  client: AdminClient,
  { name, waitMs, isJson }: VoterWait,
): Promise<boolean> {
  const { terminal, clock, process } = services;
  const stop = new AbortController();
  const timer = clock.after(waitMs, () => stop.abort());
  let state = "no answer of any member";
  let isVoter = false;
  const isInterrupted = await untilInterrupted(process, async ({ first }) => {
    first.then(() => stop.abort());
    try {
      for await (const event of client.watchStatus(stop.signal)) {
        if (event.kind === "silence") continue;
        const member = event.status.members.find((one) => one.name === name);
        isVoter = member?.isVoter ?? false;
        if (isVoter) break;
        const next = stateOf(member);
        if (next !== state && !isJson) terminal.err.write(`${name}: ${next}\n`);
        state = next;
      }
    } finally {
      timer.cancel();
    }
  });
  if (isVoter || isInterrupted) return !isVoter;
  throw new UnfinishedError(
    `"${name}" become a voter`,
    state,
    "Start the node if it does not run; the cluster promotes it by itself, " +
      "as `sealkv member list` shows",
  );
}

function stateOf(member: ClusterMember | undefined): string {
  if (member === undefined) return "no member";
  if (!member.hasStarted) return "a learner that never started";
  if (!member.up) return "a learner that is down";
  return member.replication === "snapshot"
    ? "a learner that receives a checkpoint"
    : `a learner, ${member.lag} entries behind`;
}
