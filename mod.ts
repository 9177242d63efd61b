/**
 * sealkv for programs: embed a node, ask a cluster, turn encryption on.
 *
 * Data needs nothing of this: any program uses `Deno.openKv(url)`.
 *
 * @module
 */

/** Runs a node inside this program. */
export { embedNode as startNode } from "./src/app/embed_node.ts";
export type { EmbeddedSettings } from "./src/app/embed_node.ts";
export type { RunningNode } from "./src/app/running_node.ts";

/** Asks a cluster through its admin addresses. */
export { connectAdmin } from "./src/app/connect_admin.ts";
export type { ConnectAdminOptions } from "./src/app/connect_admin.ts";
export type {
  AcceptableRisk,
  AdminClient,
  ChangeOptions,
  ChangeOutcome,
  ClusterChangeUnderWay,
  ClusterEncryption,
  ClusterEvent,
  ClusterKey,
  ClusterKeyPurpose,
  ClusterKeyWriter,
  ClusterMember,
  ClusterReplication,
  ClusterRewrite,
  ClusterRewriteProgress,
  ClusterRole,
  ClusterRollout,
  ClusterStatus,
  ClusterTask,
  EncryptionOutcome,
  EncryptionStateCopy,
  MemberCapability,
  MemberEncryption,
  MemberVitals,
  NewMember,
  StatusEvent,
  Vitals,
} from "./src/admin/client.ts";

/** Turns encryption on, step by step: what is done, what comes next, and how. */
export { rolloutPlan } from "./src/app/rollout_plan.ts";
export type { LivePlan, LiveStep } from "./src/rollout/rollout_plan.ts";
export type { Check, CheckId, Evidence, Verdict } from "./src/rollout/check.ts";
export type { RunEvent, RunTerms } from "./src/rollout/run.ts";
export type { RolloutChoices } from "./src/rollout/snapshot.ts";
export type {
  RolloutPlan,
  RolloutStep,
  StepFacts,
  StepId,
  StepProgress,
  StepState,
} from "./src/rollout/step.ts";

/** Every error of sealkv that someone can act on: a code and a remedy. */
export { NodeError } from "./src/base/error.ts";
export type { ErrorCode } from "./src/base/error_code.ts";
