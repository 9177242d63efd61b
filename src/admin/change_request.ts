import { parseAddress } from "../base/address.ts";
import { isNodeName, NODE_NAME_RULE } from "../base/identity.ts";
import type { EncryptionRequest } from "../node/encryption_port.ts";
import type { ChangeTerms, MemberRequest } from "../node/port.ts";
import { AdminRequestInvalidError } from "./errors.ts";

/** Risks that a caller may accept, one word each. */
export type AcceptableRisk = "quorum-loss" | "short-dwell" | "unrewritten";

/** What a change of the members may risk. */
export const MEMBER_RISKS: readonly AcceptableRisk[] = ["quorum-loss"];

/** What a change of encryption may risk. */
export function encryptionRisks(
  kind: EncryptionRequest["kind"],
): readonly AcceptableRisk[] {
  switch (kind) {
    case "enable-raft-envelope":
      return ["short-dwell", "unrewritten"];
    case "seal-cleartext":
    case "retire-dek":
      return ["short-dwell"];
    default:
      return [];
  }
}

const PLAN_HASH = /^[0-9a-f]{16}$/;
/** Longer than any cluster's name: such text confirms nothing. */
const CONFIRM_LENGTH_MAX = 255;

/** The fields that every request for a change has. */
export interface TermsMessage {
  readonly dryRun: boolean;
  readonly planHash: string;
  readonly confirm: string;
  readonly accept: readonly string[];
}

/** What a call for a change has besides its message. */
export interface TermsContext {
  readonly actor: string;
  /** Those that the change has. */
  readonly risks: readonly string[];
}

/** @throws {AdminRequestInvalidError} */
export function parseTerms(
  message: TermsMessage,
  { actor, risks }: TermsContext,
): ChangeTerms {
  const { dryRun, planHash, confirm } = message;
  if (planHash !== "" && !PLAN_HASH.test(planHash)) {
    throw new AdminRequestInvalidError(
      "plan_hash",
      planHash,
      "16 lower-case hex digits, or empty for any plan",
    );
  }
  if (confirm.length > CONFIRM_LENGTH_MAX) {
    throw new AdminRequestInvalidError(
      "confirm",
      `${confirm.length} characters`,
      `a text of at most ${CONFIRM_LENGTH_MAX} characters`,
    );
  }
  const accept = new Set(message.accept);
  for (const risk of accept) {
    if (risks.includes(risk)) continue;
    throw new AdminRequestInvalidError(
      "accept",
      risk,
      risks.length === 0
        ? "an empty list: this change has no risk to accept"
        : `one of: ${risks.join(", ")}`,
    );
  }
  return { dryRun, planHash, confirm, accept: [...accept], actor };
}

/** @throws {AdminRequestInvalidError} */
export function parseMemberRequest(request: MemberRequest): MemberRequest {
  const { kind, name } = request;
  const isAny = kind === "transfer-leader" && name === "";
  if (!isAny && !isNodeName(name)) {
    throw new AdminRequestInvalidError("name", name, NODE_NAME_RULE);
  }
  if (kind === "add") {
    const { peerAddress } = request;
    const address = parseAddress(peerAddress);
    if (address === null || address.port === 0) {
      throw new AdminRequestInvalidError(
        "peer_address",
        peerAddress,
        "HOST:PORT that other members dial",
      );
    }
  }
  return request;
}
