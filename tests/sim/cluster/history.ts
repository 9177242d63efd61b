import {
  KV_MODEL,
  type KvInput,
  type KvOutput,
} from "../../linearizability/kv_model.ts";
import {
  checkLinearizable,
  type Operation,
} from "../../linearizability/wgl.ts";
import { fail } from "../raft/checkers.ts";
import { MARK_PREFIX } from "./values.ts";

/** What clients did and saw, by group of keys. Eventual reads are not in it. */
export class History {
  readonly #groups = new Map<string, Operation<KvInput, KvOutput>[]>();
  /** Groups whose search was given up. */
  undecided = 0;

  get size(): number {
    let size = 0;
    for (const operations of this.#groups.values()) size += operations.length;
    return size;
  }

  add(group: string, operation: Operation<KvInput, KvOutput>): void {
    const operations = this.#groups.get(group) ?? [];
    this.#groups.set(group, operations);
    const { input } = operation;
    operations.push(
      input.kind === "read"
        ? operation
        : { ...operation, input: withoutMark(input) },
    );
  }

  /** @throws {SimFailure} When a group has no order that explains it. */
  check(): void {
    for (const [group, operations] of this.#groups) {
      const verdict = checkLinearizable(KV_MODEL, operations);
      if (verdict.kind === "undecided") this.undecided += 1;
      if (verdict.kind !== "violation") continue;
      const lines = [
        ...verdict.explained.slice(-6).map((one) => `  ${describe(one)}`),
        ...verdict.stuck.map((one) => `  stuck: ${describe(one)}`),
      ];
      fail("Linearizability", [`group ${group}`, ...lines].join("\n"));
    }
  }
}

type Write = Extract<KvInput, { kind: "write" }>;

function withoutMark(input: Write): Write {
  const changes = input.changes.filter(({ key }) =>
    !key.startsWith(MARK_PREFIX)
  );
  return { ...input, changes };
}

function describe(
  { input, output, calledAt, returnedAt }: Operation<KvInput, KvOutput>,
): string {
  const asText = (_: string, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value;
  return `[${calledAt.toFixed(3)}, ${returnedAt.toFixed(3)}] ${
    JSON.stringify(input, asText)
  } → ${JSON.stringify(output)}`;
}
