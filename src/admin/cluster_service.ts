import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import type { EventLog } from "../io/log.ts";
import type {
  ChangeResult,
  MemberRequest,
  NodePort,
  OperatorPort,
} from "../node/port.ts";
import { actorOf } from "./actor.ts";
import { type AuditSink, callerOf } from "./audit.ts";
import { auditedStream } from "./audited_stream.ts";
import { backupStream } from "./backup_stream.ts";
import {
  MEMBER_RISKS,
  parseMemberRequest,
  parseTerms,
  type TermsMessage,
} from "./change_request.ts";
import { statusReply } from "./cluster_admin.ts";
import { type ChangeSchema, ClusterAdmin } from "./gen/admin_pb.ts";
import { statusStream } from "./status_stream.ts";
import { type Vitals, vitalsReply } from "./vitals.ts";

/** Names a backup in the audit log. */
export const BACKUP_CALL = `${ClusterAdmin.typeName}/Backup`;

export interface ClusterServiceOptions {
  readonly node: Pick<NodePort, "status"> & OperatorPort;
  /** How this member does. */
  readonly vitals: () => Promise<Vitals>;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Aborted when the node stops: streams end. */
  readonly stopping: AbortSignal;
}

/** ClusterAdmin over a node. */
export function clusterService(
  options: ClusterServiceOptions,
): ServiceImpl<typeof ClusterAdmin> {
  const { node, clock, stopping } = options;
  const change = async (
    request: MemberRequest,
    terms: TermsMessage,
    context: HandlerContext,
  ) => ({
    change: changeReply(
      await changeMembers(options, request, terms, actorOf(context)),
    ),
  });
  return {
    getStatus: () => statusReply(node.status()),
    watchStatus: (_, context) =>
      statusStream({ node, clock, signal: eitherOf(context, stopping) }),
    getVitals: async () => vitalsReply(await options.vitals()),
    addMember: (asked, context) => {
      const { name, peerAddress, promote } = asked;
      return change(
        { kind: "add", name, peerAddress, promote },
        asked,
        context,
      );
    },
    promoteMember: (asked, context) =>
      change({ kind: "promote", name: asked.name }, asked, context),
    removeMember: (asked, context) =>
      change({ kind: "remove", name: asked.name }, asked, context),
    transferLeader: (asked, context) =>
      change({ kind: "transfer-leader", name: asked.name }, asked, context),
    backup: (_, context) => backup(options, context),
  };
}

/** A copy of everything leaves the cluster: the audit log tells who has it. */
function backup(
  { node, clock, stopping, audit }: ClusterServiceOptions,
  context: HandlerContext,
) {
  const gone = context.signal;
  return auditedStream({
    ...{ gone, audit },
    asked: {
      ...callerOf(context.requestHeader, context.values),
      call: BACKUP_CALL,
      index: BigInt(node.status().applied),
    },
    stream: backupStream({ copy: node.backup(), clock, gone, stopping }),
  });
}

/** Who asked for what, and what became of it, is in the event log. */
async function changeMembers(
  { node, log }: ClusterServiceOptions,
  asked: MemberRequest,
  message: TermsMessage,
  actor: string,
): Promise<ChangeResult> {
  const request = parseMemberRequest(asked);
  const terms = parseTerms(message, { actor, risks: MEMBER_RISKS });
  if (terms.dryRun) return await node.changeMembers(request, terms);
  const accept = terms.accept.join();
  const fields = { change: request.kind, member: request.name, accept };
  try {
    const result = await node.changeMembers(request, terms);
    const { isChanged, plan } = result;
    log.write("info", "member_change_done", {
      ...fields,
      changed: isChanged,
      plan: plan.hash,
    });
    return result;
  } catch (error) {
    if (error instanceof NodeError) {
      const { code } = error;
      log.write("warn", "member_change_refused", { ...fields, code });
    }
    throw error;
  }
}

function changeReply(
  { plan, isChanged, memberId }: ChangeResult,
): MessageInitShape<typeof ChangeSchema> {
  return {
    plan: { hash: plan.hash, steps: [...plan.steps] },
    changed: isChanged,
    memberId: BigInt(memberId),
  };
}

function eitherOf(
  { signal }: HandlerContext,
  stopping: AbortSignal,
): AbortSignal {
  return AbortSignal.any([signal, stopping]);
}
