import { NodeError } from "../../base/error.ts";
import type { CustodyGap } from "../../keys/port.ts";
import type { CapabilityFinding } from "../encryption_port.ts";

/** Members that did not prove that they could take part. */
export class CapabilityUnprovenError extends NodeError {
  override readonly name = "CapabilityUnprovenError";
  override readonly code = "NODE_CAPABILITY_UNPROVEN";
  override readonly remedy: string;
  /** The unproven ones; never empty. */
  readonly findings: readonly CapabilityFinding[];

  constructor(readonly action: string, findings: readonly CapabilityFinding[]) {
    const unproven = findings.filter(({ code }) => code !== "");
    const said = unproven.map(({ member, code, message }) =>
      `${member} (${code}: ${message})`
    );
    super(
      `Cannot ${action} as not every member proved that it can take part: ${
        said.join("; ")
      }`,
    );
    this.findings = unproven;
    const lines = unproven.map((one) => `${one.member}: ${one.remedy}`);
    this.remedy =
      `Do on each member what is said of it, then give the command again; nothing was changed: ${
        lines.join("; ")
      }`;
  }
}

/** Another change of the members or of encryption holds the lock. */
export class ChangeUnderWayError extends NodeError {
  override readonly name = "ChangeUnderWayError";
  override readonly code = "NODE_CHANGE_UNDER_WAY";
  override readonly remedy =
    "Wait a moment, then give the same command again; nothing was changed";

  constructor(readonly underWay: string) {
    super(`Cannot begin a change while another one is under way: ${underWay}`);
  }
}

/** A gap in words: what is missing, and what to do about it. */
interface GapText {
  readonly missing: string;
  readonly remedy: string;
}

/** One line for people: what is missing on a node, and its remedy. */
export function gapLine(gap: CustodyGap): string {
  const { missing, remedy } = gapText(gap);
  return `${missing}: ${remedy}`;
}

function gapText(gap: CustodyGap): GapText {
  switch (gap.kind) {
    case "flag":
      return {
        missing: "encryption is off on this node",
        remedy: "start it with --encryption-enabled and --kek",
      };
    case "kek":
      return gap.cause === null
        ? {
          missing: "this node has no KEK",
          remedy:
            "make one with `sealkv kek generate --out FILE` and start the node with --kek file:FILE",
        }
        : causeText("no KEK of this node works", gap.cause, "--kek");
    case "sidecar":
      return causeText(
        "the sidecar cannot be kept safely",
        gap.cause,
        "--data-dir",
      );
  }
}

function causeText(missing: string, cause: Error, flag: string): GapText {
  return {
    missing: `${missing} (${cause.message})`,
    remedy: cause instanceof NodeError
      ? cause.remedy
      : `correct what the message names, or give another ${flag}`,
  };
}

/** This node lacks what a change of encryption needs, all of it. */
export class EncryptionGateClosedError extends NodeError {
  override readonly name = "EncryptionGateClosedError";
  override readonly code = "NODE_ENCRYPTION_GATE_CLOSED";
  override readonly remedy: string;

  /** Not empty. */
  constructor(readonly member: string, gaps: readonly CustodyGap[]) {
    const texts = gaps.map(gapText);
    super(
      `Cannot change encryption through "${member}": ${
        texts.map(({ missing }) => missing).join("; ")
      }`,
    );
    const lines = texts.map(({ remedy }) => remedy);
    this.remedy = `Give this node what it lacks; nothing was changed: ${
      lines.join("; ")
    }`;
  }
}

/** All members, by the same rule, refused the entry that was proposed. */
export class EncryptionRefusedError extends NodeError {
  override readonly name = "EncryptionRefusedError";
  override readonly code = "NODE_ENCRYPTION_REFUSED";
  override readonly remedy =
    "Look at `sealkv encryption status` and plan the change again with --dry-run; the keys are as they were";

  constructor(
    /** Code of the refusal (fsm/encryption.ts). */
    readonly refusal: string,
    readonly detail: string,
  ) {
    super(`Cannot change encryption as the cluster refused it: ${detail}`);
  }
}

/** There are no data keys yet. */
export class NotBootstrappedError extends NodeError {
  override readonly name = "NotBootstrappedError";
  override readonly code = "NODE_NOT_BOOTSTRAPPED";
  override readonly remedy: string;

  constructor(
    readonly action: string,
    remedy = "Draw the first keys with `sealkv encryption bootstrap`",
  ) {
    super(`Cannot ${action} as the cluster has no data keys yet`);
    this.remedy = remedy;
  }
}

/** Encryption is not taken back within a cluster. */
export class DisableRefusedError extends NodeError {
  override readonly name = "DisableRefusedError";
  override readonly code = "NODE_DISABLE_REFUSED";
  override readonly remedy =
    "Dump and reload: start a new cluster without --encryption-enabled, copy the data with `sealkv kv export` and `sealkv kv import`, point the clients at it, then stop this one";

  constructor() {
    super(
      "Cannot disable encryption as it is for the life of a cluster: what its keys have sealed stays sealed, and every member needs them",
    );
  }
}
