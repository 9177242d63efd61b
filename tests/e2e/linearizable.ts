import {
  KV_MODEL,
  type KvInput,
  type KvOutput,
} from "../linearizability/kv_model.ts";
import { checkLinearizable, type Operation } from "../linearizability/wgl.ts";
import {
  type HistoryItem,
  mayRepeat,
  type Operation as Call,
} from "./history.ts";

type KvOperation = Operation<KvInput, KvOutput>;

/** A search that takes longer proves nothing, and says so. */
const STEPS_MAX = 2_000_000;

export interface LinearizabilityReport {
  /** One line for each key whose calls no order explains. */
  readonly faults: readonly string[];
  /** Keys whose search was given up. */
  readonly undecided: readonly string[];
}

/**
 * Looks for an order of the calls on each key that one copy of the database
 * could have answered: keys are independent of each other, so each is searched
 * by itself. Tallies, each a key of its own, are left out.
 */
export function checkKeys(
  history: readonly HistoryItem[],
): LinearizabilityReport {
  const faults: string[] = [];
  const undecided: string[] = [];
  const byKey = Map.groupBy(
    history.filter(({ op }) => op.kind !== "tally"),
    ({ op }) => op.kind === "tally" ? "" : op.key,
  );
  for (const [key, items] of byKey) {
    const operations = items.flatMap(operationsOf);
    const verdict = checkLinearizable(KV_MODEL, operations, STEPS_MAX);
    if (verdict.kind === "undecided") undecided.push(key);
    if (verdict.kind === "violation") {
      const stuck = verdict.stuck.map((operation) => JSON.stringify(operation));
      faults.push(`no order explains "${key}": none of ${stuck} can be next`);
    }
  }
  return { faults, undecided };
}

/** The call as the model knows it; twice for a set that may have been resent. */
function operationsOf(item: HistoryItem): KvOperation[] {
  const { op, invokeMs, returnMs, result } = item;
  if (result.kind === "failed" || op.kind === "tally") return [];
  const output = outputOf(op, item);
  if (op.kind === "get" && output === null) return [];
  const operation = {
    input: inputOf(op, ""),
    output,
    calledAt: invokeMs,
    returnedAt: output === null ? Infinity : returnMs ?? Infinity,
  };
  if (op.kind !== "set" || output === null || !mayRepeat(item)) {
    return [operation];
  }
  const again = {
    input: inputOf(op, "again "),
    output: null,
    calledAt: invokeMs,
    returnedAt: Infinity,
  };
  return [operation, again];
}

function inputOf(
  op: Exclude<Call, { readonly kind: "tally" }>,
  idPrefix: string,
): KvInput {
  const { key } = op;
  if (op.kind === "get") {
    return {
      kind: "read",
      ranges: [{ keys: [key], limit: 1, reverse: false }],
    };
  }
  const checks = op.kind === "cas" ? [{ key, stamp: op.expected }] : [];
  const changes = [{ kind: "set", key, value: op.value } as const];
  return { kind: "write", id: `${idPrefix}${op.value}`, checks, changes };
}

/** `null` when nobody knows. */
function outputOf(
  op: Exclude<Call, { readonly kind: "tally" }>,
  item: HistoryItem,
): KvOutput | null {
  const { result } = item;
  switch (result.kind) {
    case "written":
      return { kind: "committed", stamp: result.versionstamp };
    case "refused":
      // One that was sent again may have been refused for what it did itself.
      return mayRepeat(item) ? null : { kind: "check-failed", failed: [0] };
    case "read": {
      const { value, versionstamp: stamp } = result;
      const entries = value === null || stamp === null
        ? []
        : [{ key: op.key, value, stamp }];
      return { kind: "entries", ranges: [entries] };
    }
    default:
      return null;
  }
}
