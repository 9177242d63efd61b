import type { EventLog } from "../../io/log.ts";
import type { LogIndex } from "../../raft/types.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import { EncryptionHaltedError } from "./errors.ts";
import { CleartextRemainsError } from "./task_errors.ts";

export interface NoCleartextParts {
  readonly store: Pick<
    BufferedStore,
    "countRecords" | "hasNoCleartextMark" | "markNoCleartext"
  >;
  readonly log: EventLog;
  readonly writer: { readonly node: string };
}

/**
 * Makes sure, for the entry at `index` that locks cleartext out, that there is
 * none here: by the mark of an earlier scan, or by one that leaves it. False
 * when `isOver` ended it.
 *
 * @throws {EncryptionHaltedError} There is some; caused by CleartextRemainsError.
 */
export async function proveNoCleartext(
  { store, log, writer: { node } }: NoCleartextParts,
  index: LogIndex,
  isOver: () => boolean,
): Promise<boolean> {
  if (store.hasNoCleartextMark) return true;
  log.write("warn", "encryption_apply_scans_records", { index });
  const counts = await store.countRecords({ isOver });
  if (counts === null) return false;
  const { cleartext: records } = counts;
  if (records > 0) {
    const remedy =
      `Have this member built anew by the others: \`sealkv member rebuild ${node} --data-dir D --admin ADDR\``;
    const cause = new CleartextRemainsError(
      [{ member: node, records }],
      remedy,
    );
    throw new EncryptionHaltedError(index, cause);
  }
  await store.markNoCleartext();
  return true;
}
