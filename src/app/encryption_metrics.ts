import { type KeyId, SEALING_PURPOSES } from "../base/data_key.ts";
import type {
  MetricLabels,
  MetricRegistry,
  ReadEachOptions,
} from "../base/metrics.ts";
import type { EncryptionState } from "../fsm/types.ts";
import type { RecordCounts } from "../node/encryption_port.ts";

/** Where the numbers come from. Read at each scrape: cheap. */
export interface EncryptionMetricsSource {
  /** As applied here. */
  state(): Pick<
    EncryptionState,
    | "active"
    | "keys"
    | "storageCutoverIndex"
    | "raftCutoverIndex"
    | "cleartextLockIndex"
  >;
  /** Current session of this node under each key. */
  epochs(): ReadonlyMap<KeyId, number>;
  /** Envelopes sealed here since the start, by key. */
  seals(): ReadonlyMap<KeyId, number>;
  /** Envelopes that did not open here since the start, by reason. */
  openFailures(): ReadonlyMap<string, number>;
  /** As this node counted them last; `null` before that. */
  records?(): RecordCounts | null;
  /** Records that the rewrite has ahead of it here; `null` without one. */
  rewriteRemaining?(): number | null;
}

/** Adds what there is to tell about encryption to `/metrics`. */
export function registerEncryptionMetrics(
  metrics: MetricRegistry,
  source: EncryptionMetricsSource,
): void {
  for (const series of seriesOf(source)) {
    metrics.readEach({
      ...series,
      name: `sealkv_encryption_${series.name}`,
    });
  }
  metrics.readLabelled({
    kind: "gauge",
    name: "sealkv_encryption_records",
    help: "Records by how they are kept, as counted last",
    readEach: () => recordCounts(source.records?.() ?? null),
  });
  metrics.read({
    kind: "gauge",
    name: "sealkv_encryption_rewrite_remaining",
    help: "Records that the rewrite has ahead of it, 0 for none",
    read: () => source.rewriteRemaining?.() ?? 0,
  });
}

function seriesOf(source: EncryptionMetricsSource): ReadEachOptions[] {
  return [
    {
      kind: "gauge",
      name: "active_key_id",
      help: "Key that seals now, 0 for none",
      label: "purpose",
      readEach: () => Object.entries(source.state().active),
    },
    {
      kind: "gauge",
      name: "local_epoch",
      help: "Session of this node under the active key, 0 for none",
      label: "purpose",
      readEach: () => localEpochs(source),
    },
    {
      kind: "gauge",
      name: "cutover_index",
      help: "Entry from which on a step is in force, 0 for not yet",
      label: "kind",
      readEach: () => cutovers(source),
    },
    {
      kind: "counter",
      name: "seals_total",
      help: "Envelopes sealed here",
      label: "key_id",
      readEach: () => seals(source),
    },
    {
      kind: "counter",
      name: "open_failures_total",
      help: "Envelopes that did not open here",
      label: "reason",
      readEach: () => source.openFailures(),
    },
  ];
}

function localEpochs(source: EncryptionMetricsSource) {
  const { active } = source.state();
  const epochs = source.epochs();
  return SEALING_PURPOSES.map((purpose) =>
    [purpose, epochs.get(active[purpose]) ?? 0] as const
  );
}

function cutovers(source: EncryptionMetricsSource) {
  const state = source.state();
  return [
    ["storage", state.storageCutoverIndex],
    ["raft", state.raftCutoverIndex],
    ["cleartext_lock", state.cleartextLockIndex],
  ] as const;
}

/** Keys that sealed nothing are there too: a series that stays away is none. */
function seals(source: EncryptionMetricsSource) {
  const counts = source.seals();
  return [...source.state().keys.values()]
    .filter(({ purpose }) => purpose !== "state")
    .map(({ id }) => [String(id), counts.get(id) ?? 0] as const);
}

/** Nothing before a count: a zero would be a claim. */
function recordCounts(
  counts: RecordCounts | null,
): (readonly [labels: MetricLabels, number: number])[] {
  if (counts === null) return [];
  const sealed = [...counts.sealed].map(([keyId, number]) =>
    [{ state: "sealed", key_id: String(keyId) }, number] as const
  );
  return [[{ state: "cleartext", key_id: "0" }, counts.cleartext], ...sealed];
}
