import { Code, ConnectError } from "@connectrpc/connect";
import { NodeError } from "../base/error.ts";
import { AdminCallRefusedError, isErrorCode, RemoteError } from "./errors.ts";
import { ErrorInfoSchema } from "./gen/error_info_pb.ts";
import { RPC_CODE_OF } from "./rpc_code.ts";

const DOMAIN = "sealkv";

/** Puts an error of this node on the wire, with its code and remedy. */
export function toWireError(error: NodeError): ConnectError {
  const { code, message, remedy } = error;
  const info = { reason: code, domain: DOMAIN, metadata: { remedy } };
  return new ConnectError(message, RPC_CODE_OF[code], undefined, [
    { desc: ErrorInfoSchema, value: info },
  ]);
}

/** Reads what `toWireError` wrote; what is not ours stays the cause. */
export function fromWireError(error: ConnectError): NodeError {
  for (const info of error.findDetails(ErrorInfoSchema)) {
    const { reason, domain, metadata } = info;
    if (domain === DOMAIN && isErrorCode(reason)) {
      return new RemoteError(reason, error.rawMessage, metadata.remedy ?? "");
    }
  }
  return new AdminCallRefusedError(Code[error.code] ?? "unknown", {
    cause: error,
  });
}
