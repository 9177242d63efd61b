import {
  type KekTrouble,
  KekUnavailableError,
  WrapRejectedError,
} from "../kek_errors.ts";
import { type Busy, memberOf, type RemoteAnswer } from "./remote_call.ts";

/** Names of AWS's errors are its own: text of another shape is not shown. */
const NAME = /^[A-Z][A-Za-z]{2,60}$/;
const ENDING = /(?:Exception|Failure|Error|TokenId|Token|Signature)$/;

const REJECTED = new Set([
  "InvalidCiphertextException",
  "IncorrectKeyException",
]);
const BUSY = new Set([
  "ThrottlingException",
  "TooManyRequestsException",
  "RequestLimitExceededException",
  "DependencyTimeoutException",
  "KeyUnavailableException",
  "KMSInternalException",
  "InternalFailureException",
  "InternalFailure",
  "ServiceUnavailableException",
]);
const DENIED = new Set([
  "AccessDeniedException",
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "IncompleteSignature",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "MissingAuthenticationToken",
  "UnrecognizedClientException",
]);

/**
 * What an answer other than 200 comes to.
 *
 * AccessDeniedException of Decrypt may also mean that the wrap names a key
 * which the caller cannot see. It counts as no access: a wrap is only called
 * rejected by who has looked at it.
 *
 * Source: KMS API reference, Errors of Encrypt and Decrypt, Common errors.
 *
 * @throws {WrapRejectedError} Only when a wrap was to be opened.
 * @throws {KekUnavailableError}
 */
export function judgeAwsRefusal(
  kek: string,
  operation: "Encrypt" | "Decrypt",
  { status, json }: RemoteAnswer,
): Busy {
  const name = nameOf(json);
  const shown = `${name ?? "no known error"}, HTTP ${status}`;
  if (operation === "Decrypt" && name !== null && REJECTED.has(name)) {
    throw new WrapRejectedError(kek);
  }
  if (status === 429 || status >= 500 || name !== null && BUSY.has(name)) {
    return { trouble: "busy", rule: `KMS is busy or fails (${shown})` };
  }
  const [trouble, rule, remedy] = refusalOf(status, name);
  throw new KekUnavailableError(kek, trouble, `${rule} (${shown})`, remedy);
}

function refusalOf(
  status: number,
  name: string | null,
): readonly [trouble: KekTrouble, rule: string, remedy: string] {
  if (name === "NotFoundException") {
    return [
      "missing",
      "KMS has no such key",
      "Check the key's ARN and its region",
    ];
  }
  if (
    name !== null && DENIED.has(name) || status === 401 || status === 403
  ) {
    return [
      "denied",
      "KMS denies access",
      "Check the credentials, this machine's clock, and that the key's policy " +
      "allows kms:Encrypt and kms:Decrypt",
    ];
  }
  return [
    "refused",
    "KMS refuses the request",
    "Check that the key is symmetric, for encryption, enabled and not about " +
    "to be deleted",
  ];
}

/** `com.amazonaws.kms#NotFoundException` or the bare name. */
function nameOf(json: unknown): string | null {
  const type = memberOf(json, "__type");
  if (typeof type !== "string") return null;
  const name = type.slice(type.lastIndexOf("#") + 1);
  return NAME.test(name) && ENDING.test(name) ? name : null;
}
