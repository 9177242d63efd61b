import { BACKUP_CALL } from "../admin/cluster_service.ts";
import type { GivenBackup } from "../admin/vitals.ts";
import { fieldsIn } from "./audit_chain.ts";

/** More of them help nobody to decide. */
const GIVEN_MAX = 16;
const INDEX = /^\d{1,20}$/;

/** Whole backups that a node gave, as its audit log tells of them. */
export class GivenBackups {
  /** Oldest first. */
  #given: { readonly atMs: number; readonly index: bigint }[] = [];

  /** Takes in one line of the audit log; lines of other things change nothing. */
  readLine(line: string): void {
    if (!line.includes(BACKUP_CALL)) return;
    const given = backupIn(line);
    if (given === null) return;
    this.#given.push(given);
    if (this.#given.length > GIVEN_MAX) this.#given.shift();
  }

  /** `wallMs` is now, as Unix ms. */
  tell(wallMs: number): readonly GivenBackup[] {
    return this.#given.map(({ atMs, index }) => ({
      ageMs: BigInt(Math.max(0, Math.floor(wallMs - atMs))),
      index,
    }));
  }
}

/** `null` for what is no line of ours about a whole backup. */
function backupIn(line: string): { atMs: number; index: bigint } | null {
  const { at, call, result, index } = fieldsIn(line);
  if (call !== BACKUP_CALL || result !== "done" || typeof at !== "string") {
    return null;
  }
  if (typeof index !== "string" || !INDEX.test(index)) return null;
  const atMs = Date.parse(at);
  return Number.isNaN(atMs) ? null : { atMs, index: BigInt(index) };
}
