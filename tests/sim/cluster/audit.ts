import { utf8 } from "../../../src/base/bytes.ts";
import { DEFAULT_DATABASE } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { peekStore } from "../../../src/store/peek.ts";
import { SimKv } from "../io/kv.ts";
import type { Content } from "./checkers/replicas.ts";
import type { Host } from "./host.ts";
import { trueRecordKeys } from "./rollout/true_record_keys.ts";
import { currentStore } from "./sim_node.ts";
import { contentLine, type Truth } from "./truth.ts";
import { modelEntry } from "./values.ts";

/** Up to which entry that store has all; `null` when there is none. */
export async function auditApplied(host: Host): Promise<number | null> {
  const rows = host.kvFiles.peek(currentStore(host.disk))?.copy();
  if (rows === undefined) return null;
  const found = await peekStore(Promise.resolve(new SimKv({ disk: rows })));
  return found?.state.applied.index ?? null;
}

/** All keys of clients and marks. */
const EVERYTHING = {
  start: utf8(" "),
  end: Uint8Array.of(0xff),
  limit: 100_000,
  reverse: false,
};

/**
 * What the store on the disk of `host` holds at this very moment, read from a
 * copy by the product's own reader; `null` when there is no store.
 */
export async function auditContent(
  host: Host,
  truth: Truth,
): Promise<Content | null> {
  const rows = host.kvFiles.peek(currentStore(host.disk))?.copy();
  if (rows === undefined) return null;
  const log = { write: () => {} };
  const store = await BufferedStore.open({
    kv: Promise.resolve(new SimKv({ disk: rows })),
    log,
    keys: trueRecordKeys(truth.dataKeys, () => truth.fsm.clusterId),
  });
  const { applied, fsm } = store.state;
  const [entries = []] = await store.readRanges(
    DEFAULT_DATABASE,
    [EVERYTHING],
    fsm.clockMs,
  );
  const lines = entries.map((entry) => {
    const { key, value, stamp } = modelEntry(entry);
    return contentLine(key, value, stamp);
  });
  return { applied: applied.index, lines, fsm };
}
