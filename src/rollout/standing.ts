import type { ClusterTask } from "../admin/client.ts";
import {
  type ClusterView,
  type Cutover,
  cutoverIndex,
  replacedKeys,
  rewriteStanding,
} from "./cluster_view.ts";
import { scrubbedMembers } from "./scrubbed.ts";
import type { RolloutSnapshot } from "./snapshot.ts";
import type { StepId, StepProgress, StepState } from "./step.ts";
import { stepOfAction } from "./step_action.ts";

/** How a step stands, where that is more than whether it may be taken. */
export interface Standing {
  readonly state: Extract<StepState, "done" | "running" | "failed">;
  readonly detail: string;
  readonly progress: StepProgress | null;
}

/** What the cluster says of a step; `null`: it is yet to be taken. */
export function standingOf(
  step: StepId,
  snapshot: RolloutSnapshot,
  view: ClusterView,
): Standing | null {
  const { underWay } = snapshot;
  if (underWay !== null && stepOfAction(underWay.action) === step) {
    return running(tasksText(underWay.members), underWay.members);
  }
  switch (step) {
    case "storage":
      return cutoverStanding(step, view, "records are sealed");
    case "seal":
      return cutoverStanding(step, view, "cleartext is locked out");
    case "raft":
      return cutoverStanding(step, view, "the log is sealed");
    case "rewrite":
      return rewriteStandingOf(snapshot, view);
    case "scrub":
      return scrubStanding(snapshot, view);
    case "retire":
      return retireStanding(view);
    case "capability":
    case "rotate":
      return null;
  }
}

/** A silent member applies the entry when it is back: it holds up nothing. */
function cutoverStanding(
  cutover: Cutover,
  view: ClusterView,
  what: string,
): Standing | null {
  const index = cutoverIndex(view.shown, cutover);
  if (index === 0n) return null;
  const tasks = view.names.map((name): ClusterTask => {
    const own = view.encryption(name);
    const state = own === null
      ? "silent"
      : cutoverIndex(own, cutover) > 0n
      ? "done"
      : "running";
    return taskOf(name, state);
  });
  const late = namesIn(tasks, "running");
  if (late !== "") {
    return running(`${late}: yet to apply entry ${index}`, tasks);
  }
  const silent = namesIn(tasks, "silent");
  const more = silent === "" ? "" : `; ${silent} silent`;
  return done(`${what} since entry ${index}${more}`);
}

function rewriteStandingOf(
  snapshot: RolloutSnapshot,
  view: ClusterView,
): Standing | null {
  if (cutoverIndex(view.shown, "storage") === 0n) return null;
  const standing = rewriteStanding(snapshot);
  const lock = cutoverIndex(view.shown, "seal");
  if (standing.kind === "none" && lock > 0n) {
    return done(`cleartext is locked out since entry ${lock}`);
  }
  const job = snapshot.rollout?.rewrite ?? null;
  if (standing.kind === "unknown" && job !== null) {
    const { isPaused, bytesPerSecond } = job;
    const progress = { tasks: [], isPaused, bytesPerSecond };
    const detail = "how far members are only a leader can say";
    return { state: "running", detail, progress };
  }
  if (standing.kind !== "started") return null;
  const { tasks, isDone, isPaused, bytesPerSecond } = standing;
  if (isDone) return done("every member has sealed its records anew");
  const failing = tasks.find(({ state }) => state === "failed");
  if (failing !== undefined) {
    const { member, failure } = failing;
    return { state: "failed", detail: `${member}: ${failure}`, progress: null };
  }
  const detail = isPaused ? "paused" : tasksText(tasks);
  const progress = { tasks, isPaused, bytesPerSecond };
  return { state: "running", detail, progress };
}

function scrubStanding(
  snapshot: RolloutSnapshot,
  view: ClusterView,
): Standing | null {
  const scrubbed = scrubbedMembers(snapshot, view);
  const isDone = view.names.every((name) => scrubbed.has(name));
  return isDone
    ? done("every member is scrubbed since the raft cutover")
    : null;
}

function retireStanding(view: ClusterView): Standing | null {
  if (cutoverIndex(view.shown, "raft") === 0n) return null;
  return replacedKeys(view).length === 0
    ? done("no replaced key is left")
    : null;
}

function done(detail: string): Standing {
  return { state: "done", detail, progress: null };
}

function running(detail: string, tasks: readonly ClusterTask[]): Standing {
  const progress = { tasks, isPaused: false, bytesPerSecond: null };
  return { state: "running", detail, progress };
}

function taskOf(member: string, state: ClusterTask["state"]): ClusterTask {
  return {
    ...{ member, state },
    ...{ done: 0n, total: 0n, bytes: 0n, elapsedMs: 0n, failure: "" },
  };
}

function tasksText(tasks: readonly ClusterTask[]): string {
  const ended = tasks.filter(({ state }) => state === "done").length;
  const silent = namesIn(tasks, "silent");
  const more = silent === "" ? "" : `; ${silent} silent`;
  return `${ended} of ${tasks.length} members done${more}`;
}

function namesIn(
  tasks: readonly ClusterTask[],
  wanted: ClusterTask["state"],
): string {
  return tasks.filter(({ state }) => state === wanted)
    .map(({ member }) => member).join(", ");
}
