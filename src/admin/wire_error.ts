import { Code, ConnectError } from "@connectrpc/connect";
import { NodeError } from "../base/error.ts";
import { CapabilityUnprovenError } from "../node/encryption/change_errors.ts";
import { NotLeaderError } from "../node/member_errors.ts";
import { AdminCallRefusedError, isErrorCode, RemoteError } from "./errors.ts";
import { ErrorInfoSchema } from "./gen/error_info_pb.ts";
import { RPC_CODE_OF } from "./rpc_code.ts";

const DOMAIN = "sealkv";

/**
 * Puts an error of this node on the wire: its code is the reason, the metadata
 * has `remedy`, of a leader elsewhere `leader` and `leader_admin`, and `nodes`,
 * separated by commas, when the error is about some. Of members that did not
 * prove their capability it has `code.NAME`, `message.NAME` and `remedy.NAME`.
 */
export function toWireError(error: NodeError): ConnectError {
  const { code, message } = error;
  const info = { reason: code, domain: DOMAIN, metadata: metadataOf(error) };
  return new ConnectError(message, RPC_CODE_OF[code], undefined, [
    { desc: ErrorInfoSchema, value: info },
  ]);
}

function metadataOf(error: NodeError): Record<string, string> {
  const { remedy } = error;
  if (error instanceof NotLeaderError) {
    const { leader, adminAddress } = error;
    return { remedy, leader, leader_admin: adminAddress };
  }
  if (error instanceof CapabilityUnprovenError) {
    return { remedy, ...findingsOf(error) };
  }
  const nodes = nodesOf(error).join();
  return nodes === "" ? { remedy } : { remedy, nodes };
}

/** Lists of members, or of what there is to say of each. */
const LISTS = ["members", "failures", "findings", "uses"];

/** The members that an error is about, by its fields. */
function nodesOf(error: NodeError): readonly string[] {
  const fields = error as unknown as Readonly<Record<string, unknown>>;
  const items = [
    fields["member"],
    ...LISTS.flatMap((name) => fields[name] ?? []),
  ];
  return items.flatMap((item) => {
    const named = item instanceof Object && "member" in item
      ? item.member
      : item;
    return typeof named === "string" && named !== "" ? [named] : [];
  });
}

function findingsOf(
  { findings }: CapabilityUnprovenError,
): Record<string, string> {
  const nodes = findings.map(({ member }) => member).join();
  const lines = findings.flatMap(({ member, code, message, remedy }) => [
    [`code.${member}`, code],
    [`message.${member}`, message],
    [`remedy.${member}`, remedy],
  ]);
  return { nodes, ...Object.fromEntries(lines) };
}

/** Reads what `toWireError` wrote; what is not ours stays the cause. */
export function fromWireError(error: ConnectError): NodeError {
  for (const info of error.findDetails(ErrorInfoSchema)) {
    const { reason, domain, metadata } = info;
    if (domain === DOMAIN && isErrorCode(reason)) {
      const { remedy = "", ...details } = metadata;
      return new RemoteError(reason, error.rawMessage, remedy, details);
    }
  }
  return new AdminCallRefusedError(Code[error.code] ?? "unknown", {
    cause: error,
  });
}
