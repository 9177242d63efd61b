import type { ErrorCode } from "./error_code.ts";

/**
 * A condition of the world that an operator or a caller can act on.
 *
 * `message` follows "Cannot <action> as <rule>: current value is X" and never
 * repeats `cause`; no message, field or remedy holds a secret or a user's key.
 */
export abstract class NodeError extends Error {
  /** Stable name: metric label, RPC reason and anchor in docs/errors.md. */
  abstract readonly code: ErrorCode;
  /** One imperative sentence: what to run or change. */
  abstract readonly remedy: string;
}
