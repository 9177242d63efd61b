import { InputInvalidError } from "./errors.ts";
import { closest } from "./suggest.ts";

/** What `--node` got wrong, with the name that was probably meant. */
export function unknownMember(
  node: string,
  names: readonly string[],
): InputInvalidError {
  const guess = closest(node, names) ?? names.join(", ");
  return new InputInvalidError(
    "--node",
    `the cluster has no member of that name: current value is "${node}"`,
    `Give a member's name, as ${guess}`,
  );
}
