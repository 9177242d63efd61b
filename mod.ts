/**
 * sealkv for programs: embed a node, ask a cluster.
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
  ClusterEncryption,
  ClusterKey,
  ClusterKeyPurpose,
  ClusterKeyWriter,
  ClusterMember,
  ClusterReplication,
  ClusterRole,
  ClusterStatus,
  EncryptionOutcome,
  EncryptionStateCopy,
  MemberCapability,
  MemberEncryption,
  NewMember,
  StatusEvent,
} from "./src/admin/client.ts";

/** Every error of sealkv that someone can act on: a code and a remedy. */
export { NodeError } from "./src/base/error.ts";
export type { ErrorCode } from "./src/base/error_code.ts";
