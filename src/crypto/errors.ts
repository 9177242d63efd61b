import { NodeError } from "../base/error.ts";

/** Which rule of an envelope does not hold. */
export type EnvelopeFault =
  | "length"
  | "version"
  | "flag"
  | "key-id"
  | "nonce"
  | "tag";

/** Sealed bytes that do not open: damaged, moved here, or another key's. */
export class EnvelopeRejectedError extends NodeError {
  override readonly name = "EnvelopeRejectedError";
  override readonly code = "CRYPTO_ENVELOPE_REJECTED";
  override readonly remedy =
    "Rebuild this member from the others: `sealkv member rebuild NAME --data-dir D --admin ADDR`; alone, restore it from a backup";

  /** `what` names the kind of envelope, `found` what is wrong; no secrets. */
  constructor(
    readonly what: string,
    readonly fault: EnvelopeFault,
    found: string,
  ) {
    super(`Cannot open a ${what} as ${RULE[fault]}: current value is ${found}`);
  }
}

const RULE: Readonly<Record<EnvelopeFault, string>> = {
  length: "it must have all its fields",
  version: "its version must be known",
  flag: "its flag must be 0",
  "key-id": "its key id must not be 0",
  nonce: "its nonce must be one that a session issues",
  tag: "its tag must match its bytes, key and place",
};

/** A session has sealed as often as its key allows. */
export class NoncesExhaustedError extends NodeError {
  override readonly name = "NoncesExhaustedError";
  override readonly code = "CRYPTO_NONCES_EXHAUSTED";
  override readonly remedy =
    "Restart the node, which opens its next session: `sealkv serve`";

  constructor(readonly epoch: number, readonly countMax: number) {
    super(
      `Cannot seal in epoch ${epoch} as a session has ${countMax} nonces:` +
        ` current value is ${countMax} used`,
    );
  }
}
