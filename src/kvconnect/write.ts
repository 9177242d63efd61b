import type { Bytes } from "../base/bytes.ts";
import type { NodePort } from "../node/port.ts";
import { encodeCheckFailure, encodeCommitted } from "./encode_reply.ts";
import { RequestInvalidError } from "./errors.ts";
import { parseAtomicWrite } from "./parse_write.ts";
import { protobufReply } from "./replies.ts";

/**
 * Answers an atomic_write. A client that goes away does not stop it.
 *
 * @throws {NodeError} RequestInvalid (also when the state refuses the write,
 * such as a sum on a text), or what the node throws.
 */
export async function answerWrite(
  node: NodePort,
  database: string,
  body: Bytes,
): Promise<Response> {
  const reply = await node.write(parseAtomicWrite(body, database));
  switch (reply.kind) {
    case "committed":
      return protobufReply(encodeCommitted(reply.versionstamp));
    case "check-failed":
      return protobufReply(encodeCheckFailure(reply.failedChecks));
    case "rejected":
      throw new RequestInvalidError(reply.reason);
  }
}
