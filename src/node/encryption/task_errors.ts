import { NodeError } from "../../base/error.ts";
import type { KeyId } from "../../base/data_key.ts";

/** Members that a task needs and that do not answer. */
export class MemberSilentError extends NodeError {
  override readonly name = "MemberSilentError";
  override readonly code = "NODE_MEMBER_SILENT";
  override readonly remedy =
    "Start the members that are named, or reconnect them, until `sealkv status` shows them up, then give the command again";

  /** Not empty. */
  constructor(readonly action: string, readonly members: readonly string[]) {
    super(
      `Cannot ${action} as every member must answer: ${
        members.map((name) => `"${name}"`).join(", ")
      } did not`,
    );
  }
}

/** Members that could not do what a task asks of them. */
export class MemberTaskFailedError extends NodeError {
  override readonly name = "MemberTaskFailedError";
  override readonly code = "NODE_MEMBER_TASK_FAILED";
  override readonly remedy =
    "Do what is said of each member, then give the command again; one whose disk is damaged: `sealkv member rebuild NAME --data-dir D --admin ADDR`";

  /** Not empty. */
  constructor(
    readonly action: string,
    readonly failures: readonly {
      readonly member: string;
      readonly failure: string;
    }[],
  ) {
    super(
      `Cannot ${action} as every member must do its part: ${
        failures.map(({ member, failure }) =>
          `"${member}" could not: ${failure}`
        )
          .join("; ")
      }`,
    );
  }
}

/** Cleartext records of one member. */
export interface CleartextFinding {
  readonly member: string;
  readonly records: number;
}

/** Records that were never sealed are left. */
export class CleartextRemainsError extends NodeError {
  override readonly name = "CleartextRemainsError";
  override readonly code = "NODE_CLEARTEXT_REMAINS";
  override readonly remedy: string;

  /** `findings` is not empty. */
  constructor(
    readonly findings: readonly CleartextFinding[],
    remedy =
      "Let `sealkv encryption rewrite --follow` end on every member, then give the command again; nothing was changed",
  ) {
    super(
      `Cannot seal the cleartext as none may be left: ${
        findings.map(({ member, records }) =>
          `"${member}" has ${records} cleartext records`
        ).join(", ")
      }`,
    );
    this.remedy = remedy;
  }
}

/** Why one member still needs a key, and what ends that. */
export interface KeyUse {
  readonly member: string;
  readonly use: string;
  readonly remedy: string;
}

/** Something that a key has sealed is left, or may be. */
export class KeyInUseError extends NodeError {
  override readonly name = "KeyInUseError";
  override readonly code = "NODE_KEY_IN_USE";
  override readonly remedy: string;

  /** `uses` is not empty. */
  constructor(readonly keyId: KeyId, readonly uses: readonly KeyUse[]) {
    super(
      `Cannot retire key ${keyId} as nothing may be left that it sealed: ${
        uses.map(({ member, use }) => `"${member}" has ${use}`).join("; ")
      }`,
    );
    const lines = uses.map(({ member, remedy }) => `${member}: ${remedy}`);
    this.remedy = `Nothing was changed; retire it again after this: ${
      lines.join("; ")
    }`;
  }
}

/** A key that is never given up, or not while it is active. */
export class KeyNotRetirableError extends NodeError {
  override readonly name = "KeyNotRetirableError";
  override readonly code = "NODE_KEY_NOT_RETIRABLE";
  override readonly remedy: string;

  constructor(
    readonly keyId: KeyId,
    readonly reason: string,
    remedy =
      "Give the id of a key that `sealkv encryption status` shows as replaced",
  ) {
    super(
      `Cannot retire key ${keyId} as only a replaced key can be: ${reason}`,
    );
    this.remedy = remedy;
  }
}
