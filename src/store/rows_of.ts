import { KV_LIST_ROWS_MAX, type KvRow } from "../io/kv.ts";
import type { Backing } from "./backing.ts";
import { rowAfter, type RowBounds } from "./row_key.ts";

/** Every row within `bounds`, in order, a list at a time. */
export async function* rowsOf(
  backing: Backing,
  bounds: RowBounds,
): AsyncGenerator<KvRow> {
  let { start } = bounds;
  const { end } = bounds;
  for (;;) {
    const rows = await backing.list({ start, end, limit: KV_LIST_ROWS_MAX });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    start = rowAfter(last.key);
  }
}
