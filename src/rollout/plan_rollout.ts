import type { Check, Evidence } from "./check.ts";
import { checksOf } from "./checks/of_step.ts";
import { type ClusterView, viewOf } from "./cluster_view.ts";
import { commandLine } from "./command_text.ts";
import { stepCommands } from "./command.ts";
import { failedTry } from "./last_try.ts";
import type { RolloutChoices, RolloutSnapshot } from "./snapshot.ts";
import { type Standing, standingOf } from "./standing.ts";
import {
  type RolloutPlan,
  type RolloutStep,
  STEP_IDS,
  type StepId,
} from "./step.ts";
import { STEP_FACTS } from "./steps.ts";

/** For the life of a cluster: no rollout waits for them. */
const RECURRING: ReadonlySet<StepId> = new Set(["rotate", "retire"]);
/** What the raft cutover need not wait for, by a risk that can be accepted. */
const DEFERRED: ReadonlySet<StepId> = new Set(["rewrite", "seal"]);

interface Decided {
  readonly snapshot: RolloutSnapshot;
  readonly view: ClusterView;
  readonly choices: RolloutChoices;
  readonly isDeferred: boolean;
}

/**
 * The ladder as it stands in `snapshot`, with `choices` made. Pure: the wizard,
 * the commands and scripts decide by nothing else.
 *
 * 1. A step is ready, or failed by its last try, only when no check of it fails
 *    and every step before it is done; with "unrewritten" accepted the raft
 *    cutover does not wait for the rewrite and the lock.
 * 2. What the cluster says decides, never what was seen before: a step goes
 *    back when it no longer holds.
 */
export function planRollout(
  snapshot: RolloutSnapshot,
  choices: RolloutChoices,
): RolloutPlan {
  const { status, atMs } = snapshot;
  const view = viewOf(snapshot);
  const raftCutover = view.shown?.raftCutoverIndex ?? 0n;
  const isDeferred = raftCutover === 0n &&
    choices.accept.includes("unrewritten");
  const decided = { snapshot, view, choices, isDeferred };
  const steps: RolloutStep[] = [];
  for (const id of STEP_IDS) steps.push(stepOf(id, steps, decided));
  return {
    cluster: status.cluster,
    leader: status.leader,
    term: status.term,
    phase: view.shown?.phase ?? status.phase,
    atMs,
    steps,
    next: nextOf(steps, isDeferred),
  };
}

function stepOf(
  id: StepId,
  below: readonly RolloutStep[],
  decided: Decided,
): RolloutStep {
  const { snapshot, view, choices } = decided;
  const checks = checksOf({ step: id, snapshot, view, choices });
  const standing = id === "capability"
    ? provenOr(checks, view)
    : standingOf(id, snapshot, view);
  const first = below.find((step) =>
    step.state !== "done" && isBefore(step.id, id, decided)
  );
  return {
    ...STEP_FACTS[id],
    ...standing ?? yetToTake(id, { checks, first, snapshot }),
    checks,
    commands: commandsOf(id, decided),
  };
}

/** No entry tells that members can take part: their proofs do, each time. */
function provenOr(
  checks: readonly Check[],
  { names }: ClusterView,
): Standing | null {
  if (checks.some(({ verdict }) => verdict === "fail")) return null;
  const detail = `${names.length} of ${names.length} members have proven it`;
  return { state: "done", detail, progress: null };
}

function isBefore(
  step: StepId,
  id: StepId,
  { isDeferred }: Decided,
): boolean {
  if (RECURRING.has(step)) return false;
  return !(isDeferred && id === "raft" && DEFERRED.has(step));
}

function yetToTake(
  id: StepId,
  { checks, first, snapshot }: {
    readonly checks: readonly Check[];
    readonly first: RolloutStep | undefined;
    readonly snapshot: RolloutSnapshot;
  },
): Pick<RolloutStep, "state" | "detail" | "progress"> {
  const progress = null;
  if (first !== undefined) {
    const detail = `after: ${first.title}`;
    return { state: "blocked", detail, progress };
  }
  const failing = checks.find(({ verdict }) => verdict === "fail");
  if (failing !== undefined) {
    const detail = `${failing.id} ${failureText(failing)}`;
    return { state: "blocked", detail, progress };
  }
  const failure = failedTry(id, snapshot.events);
  if (failure !== null) return { state: "failed", detail: failure, progress };
  const warnings = checks.filter(({ verdict }) => verdict === "warn").length;
  const detail = warnings === 0
    ? "all checks pass"
    : `nothing blocks it, ${warnings} warning${warnings === 1 ? "" : "s"}`;
  return { state: "ready", detail, progress };
}

function failureText({ title, evidence }: Check): string {
  const failing = evidence.find(({ verdict }) => verdict === "fail");
  return failing === undefined ? title : evidenceText(failing);
}

/** `n3: does not answer`; of the cluster as a whole the text alone. */
function evidenceText({ member, text }: Evidence): string {
  return member === "" ? text : `${member}: ${text}`;
}

function commandsOf(
  id: StepId,
  { snapshot, view, choices }: Decided,
): readonly string[] {
  if (id === "capability") return capabilityCommands(view);
  const keys = view.shown?.keys ?? [];
  const rollout = snapshot.rollout ?? { rewrite: null, dwellUntilMs: 0n };
  const terms = { confirm: snapshot.status.cluster, accept: choices.accept };
  const lines = stepCommands(id, { keys, rollout }, choices)
    .map((command) => commandLine(command, terms));
  // To retire no key there is no command: this shows that none is left.
  return lines.length === 0 ? ["sealkv encryption status"] : lines;
}

/** Members are started on their own machines: no command does it from here. */
function capabilityCommands({ names, encryption }: ClusterView) {
  const hasKek = names.some((name) =>
    (encryption(name)?.own.kekIds.length ?? 0) > 0
  );
  const look = "sealkv encryption status";
  return hasKek ? [look] : ["sealkv kek generate --out sealkv.kek", look];
}

function nextOf(
  steps: readonly RolloutStep[],
  isDeferred: boolean,
): StepId | null {
  return steps.find(({ id, state }) =>
    state !== "done" && !RECURRING.has(id) &&
    !(isDeferred && DEFERRED.has(id))
  )?.id ?? null;
}
