import type { RecordKey } from "../fsm/types.ts";

/**
 * Names a record among all databases; for maps, not for people: one UTF-16 unit
 * for the database, then one for each byte of the key.
 */
export function recordName({ database, key }: RecordKey): string {
  return String.fromCharCode(database) +
    Reflect.apply(String.fromCharCode, null, key);
}
