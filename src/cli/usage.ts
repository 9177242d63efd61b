import type { CommanderError } from "@commander-js/extra-typings";
import { UsageError } from "./errors.ts";
import { closest } from "./suggest.ts";

const REMEDY = "`sealkv help` and `sealkv COMMAND --help` show what there is";

/** A parser's complaint as our error; `null` when it is help or a version. */
export function usageErrorOf(error: CommanderError): UsageError | null {
  if (error.exitCode === 0) return null;
  if (error.code === "commander.help") {
    return new UsageError(
      "Cannot run as the command needs another one after it",
      REMEDY,
    );
  }
  const [first = "", ...rest] = error.message.replace(/^error: /, "")
    .split("\n");
  const guess = /^\(Did you mean (.+)\?\)$/.exec(rest.join(" "))?.[1] ??
    closestChoice(first);
  return new UsageError(
    first.replace(/\.$/, ""),
    guess === null ? REMEDY : `Did you mean ${guess}? ${REMEDY}`,
  );
}

/** The parser suggests commands and flags, but not choices. */
function closestChoice(message: string): string | null {
  const match = /'([^']*)' is invalid.*Allowed choices are (.+?)\.?$/
    .exec(message);
  if (match === null) return null;
  return closest(match[1] ?? "", (match[2] ?? "").split(", "));
}
