import { NodeError } from "../base/error.ts";

/** Bytes of a log entry that no version of this program has written. */
export class CommandMalformedError extends NodeError {
  override readonly name = "CommandMalformedError";
  override readonly code = "FSM_COMMAND_MALFORMED";
  override readonly remedy =
    "Stop this node, keep a copy of its data directory, and report it with the output of `sealkv version`";

  /** `offset` counts from the start of what was decoded. */
  constructor(
    readonly rule: string,
    readonly offset: number,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot decode a log entry's command as ${rule}: current offset is ${offset}`,
      options,
    );
  }
}

/** A command of a later version: applying past it would make members differ. */
export class CommandUnknownError extends NodeError {
  override readonly name = "CommandUnknownError";
  override readonly code = "FSM_COMMAND_UNKNOWN";
  override readonly remedy =
    "Install the newest version of sealkv that another member runs, and start this node again";

  /** `subTag` is for tags that have one. */
  constructor(readonly tag: number, readonly subTag: number | null = null) {
    const what = subTag === null
      ? `tag ${hexOf(tag)}`
      : `tag ${hexOf(tag)}, sub-tag ${hexOf(subTag)}`;
    super(
      `Cannot apply a log entry as this version must know its command: current value is ${what}`,
    );
  }
}

function hexOf(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
