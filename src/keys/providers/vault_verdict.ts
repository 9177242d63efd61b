import { KekUnavailableError, WrapRejectedError } from "../kek_errors.ts";
import { type Busy, memberOf, type RemoteAnswer } from "./remote_call.ts";

/** How Vault says that it cannot open a ciphertext; none has a code. */
const REJECTED = /message authentication failed|invalid ciphertext/;
const KEY_MISSING = /encryption key not found|policy not found/;
const TOO_OLD = /disallowed by policy/;

/**
 * What an answer other than 200 comes to.
 *
 * Sources: Vault's API overview, "HTTP status codes"; transit's
 * path_decrypt.go. Vault 1.6 says 500 to a wrong context
 * (hashicorp/vault#10842), so the words count, whatever the status.
 *
 * @throws {WrapRejectedError} Only when a wrap was to be opened.
 * @throws {KekUnavailableError}
 */
export function judgeVaultRefusal(
  kek: string,
  operation: "encrypt" | "decrypt",
  { status, json }: RemoteAnswer,
): Busy {
  const complaints = complaintsOf(json);
  if (operation === "decrypt" && REJECTED.test(complaints)) {
    throw new WrapRejectedError(kek);
  }
  const busy = busyWith(status);
  if (busy !== null) return { trouble: "busy", rule: busy };
  const [trouble, rule, remedy] = refusalOf(status, complaints);
  throw new KekUnavailableError(kek, trouble, rule, remedy);
}

/** Worth another try. */
function busyWith(status: number): string | null {
  switch (status) {
    case 412:
      return "Vault has not caught up yet (HTTP 412)";
    case 429:
      return "Vault limits requests (HTTP 429)";
    case 503:
      return "Vault is sealed or under maintenance (HTTP 503)";
    default:
      return status >= 500 ? `Vault fails (HTTP ${status})` : null;
  }
}

function refusalOf(status: number, complaints: string) {
  if (KEY_MISSING.test(complaints)) {
    return [
      "missing",
      "Vault has no such key",
      "Check the key's name and the mount: `vault list transit/keys`",
    ] as const;
  }
  if (TOO_OLD.test(complaints)) {
    return [
      "refused",
      "the key's min_decryption_version is above that of the wrap",
      "Lower it until `sealkv encryption rewrap-deks` has made new wraps",
    ] as const;
  }
  if (status === 401 || status === 403) {
    return [
      "denied",
      `Vault denies access (HTTP ${status})`,
      "Check that the token is valid and that its policy lets it update " +
      "encrypt/KEY and decrypt/KEY of the mount",
    ] as const;
  }
  if (status === 404) {
    return [
      "missing",
      "Vault has nothing there (HTTP 404)",
      "Check the mount and the namespace: `vault secrets list`",
    ] as const;
  }
  if (status >= 300 && status < 400) {
    return [
      "refused",
      `Vault points elsewhere (HTTP ${status}), which is not followed`,
      "Name the address of the active node, or one that forwards to it",
    ] as const;
  }
  return [
    "refused",
    `Vault refuses the request (HTTP ${status})`,
    "Check that the key is of type aes256-gcm96, not derived, and that Vault " +
    "is 1.13 or later",
  ] as const;
}

/** `{"errors": [text, …]}` as one text to search. Not for people. */
function complaintsOf(json: unknown): string {
  const errors = memberOf(json, "errors");
  return Array.isArray(errors)
    ? errors.filter((item) => typeof item === "string").join("\n")
    : "";
}
