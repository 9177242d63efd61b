import type { ClusterEvent } from "../../src/admin/client.ts";
import { ageText } from "./amount.ts";

/** What was asked for, as a row shows it; all of it but `event` is text. */
export interface EventRow {
  readonly id: string;
  readonly age: string;
  readonly action: string;
  readonly result: string;
  readonly actor: string;
  readonly detail: string;
  readonly isWell: boolean;
  readonly event: ClusterEvent;
}

/** Newest first: `events` come oldest first. */
export function eventRows(
  events: readonly ClusterEvent[],
  nowMs: number,
): readonly EventRow[] {
  return events.toReversed().map((event) => {
    const { index, atMs, action, result, actor, detail } = event;
    const isWell = result === "done" || result === "unchanged";
    return {
      id: String(index),
      age: ageText(nowMs - Number(atMs)),
      action,
      result: isWell ? result : result.toUpperCase(),
      actor: actor === "" ? "nobody named" : actor,
      detail,
      isWell,
      event,
    };
  });
}
