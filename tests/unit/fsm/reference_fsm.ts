import { deserialize } from "node:v8";
import { toHex } from "../../../src/base/bytes.ts";
import { encodeV8Number } from "../../../src/fsm/v8_number.ts";
import type {
  AtomicWrite,
  Change,
  KvValue,
  Member,
  WriteReply,
} from "../../../src/fsm/types.ts";
import type { Payload } from "../../../src/fsm/payload.ts";

/** One record as the reference keeps it. */
export interface ReferenceRecord {
  readonly data: string;
  readonly encoding: number;
  readonly versionstamp: string;
  readonly expireAtMs: number;
}

type Space = Map<string, ReferenceRecord>;

class Refused extends Error {}

/**
 * The fsm once more, from kvconnect.md §4 alone: slow, whole copies instead of
 * overlays, V8 itself instead of a parser. Shares no code with `src/fsm/` but
 * the bytes of a result.
 */
export class ReferenceFsm {
  clockMs = 0;
  clusterName = "";
  members: Member[] = [];
  #founded = false;
  /** Name → live and expired records, in order of first write. */
  spaces = new Map<string, Space>([["", new Map()]]);

  apply(index: number, payload: Payload): readonly WriteReply[] {
    if (payload.kind === "clock") {
      this.clockMs = Math.max(this.clockMs, payload.clockMs);
      return [];
    }
    if (payload.kind === "cluster-init") {
      if (this.#founded) {
        const reason = "The cluster has been founded already";
        return [{ kind: "rejected", reason }];
      }
      this.#founded = true;
      this.clusterName = payload.clusterName;
      this.members = [...payload.members];
      return [committed(index, 0)];
    }
    if (payload.kind === "announcement") {
      const reason = this.#announce(payload.member);
      return [
        reason === null ? committed(index, 0) : {
          kind: "rejected",
          reason,
        },
      ];
    }
    // encryption_model.ts and rollout_test.ts are the reference of these.
    if (payload.kind === "encryption") return [];
    if (payload.kind === "rollout") return [];
    this.clockMs = Math.max(this.clockMs, payload.nowMs);
    return payload.writes.map((write, i) => this.#write(write, index, i));
  }

  /** What a reader sees: database → key → record. */
  visible(): Map<string, Map<string, ReferenceRecord>> {
    const seen = new Map<string, Map<string, ReferenceRecord>>();
    for (const [name, space] of this.spaces) {
      const live = [...space].filter(([, record]) => this.#isLive(record));
      seen.set(name, new Map(live));
    }
    return seen;
  }

  #announce(member: Member): string | null {
    if (!this.#founded) return "The cluster has not been founded";
    if (this.members.length === 0 && member.id === 1) {
      this.members = [member];
      return null;
    }
    const at = this.members.findIndex(({ id }) => id === member.id);
    const known = this.members[at];
    if (known === undefined) return `No member has raft id ${member.id}`;
    if (known.name !== member.name) {
      return `Member ${known.id} is "${known.name}", not "${member.name}"`;
    }
    const [old, now] = [known, member].map(({ diskId }) => diskId?.join());
    if (old !== undefined && old !== now) {
      return `Member "${known.name}" is known with another disk`;
    }
    const { promoteWhenCaughtUp } = known;
    this.members[at] = { ...member, promoteWhenCaughtUp };
    return null;
  }

  #write(write: AtomicWrite, index: number, position: number): WriteReply {
    const before: Space = this.spaces.get(write.database) ?? new Map();
    const failedChecks = write.checks.flatMap((check, i) => {
      const record = before.get(toHex(check.key));
      const actual = record !== undefined && this.#isLive(record)
        ? record.versionstamp
        : null;
      const expected = check.versionstamp && toHex(check.versionstamp);
      return actual === expected ? [] : [i];
    });
    if (failedChecks.length > 0) return { kind: "check-failed", failedChecks };
    const reply = committed(index, position);
    if (write.changes.length === 0) return reply;
    const after: Space = new Map(before);
    try {
      for (const change of write.changes) {
        this.#change(after, change, toHex(reply.versionstamp));
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { kind: "rejected", reason: error.message };
    }
    this.spaces.set(write.database, after);
    return reply;
  }

  #change(space: Space, change: Change, versionstamp: string): void {
    if (change.key.length === 0) throw new Refused("key cannot be empty");
    let key = toHex(change.key);
    if (change.kind === "delete") {
      space.delete(key);
      return;
    }
    const { value } = change;
    if (value.encoding === 2 && value.data.length !== 8) {
      throw new Refused("A KvU64 must have 8 bytes");
    }
    if (change.kind === "set" || change.kind === "set-suffix") {
      if (change.kind === "set-suffix") {
        const digits = [...versionstamp].map((c) => c.charCodeAt(0));
        key += `02${toHex(Uint8Array.from(digits))}00`;
      }
      const data = toHex(value.data);
      const { expireAtMs } = change;
      const { encoding } = value;
      space.set(key, { data, encoding, versionstamp, expireAtMs });
      return;
    }
    const found = space.get(key);
    const stored = found !== undefined && this.#isLive(found) ? found : null;
    const result = change.kind === "sum"
      ? sum(stored, change)
      : extreme(stored, change.kind, change.value);
    space.set(key, { ...result, versionstamp, expireAtMs: 0 });
  }

  #isLive({ expireAtMs }: ReferenceRecord): boolean {
    return expireAtMs === 0 || this.clockMs < expireAtMs;
  }
}

interface Raw {
  readonly data: string;
  readonly encoding: number;
}

function sum(stored: Raw | null, change: Change & { kind: "sum" }): Raw {
  const operand = rawOf(change.value);
  if (operand.encoding === 2) {
    if (stored === null) return operand;
    if (stored.encoding !== 2) {
      throw new Refused(
        "Failed to perform 'sum' mutation on a non-U64 value in the database",
      );
    }
    return rawU64((u64Of(stored) + u64Of(operand)) % 2n ** 64n);
  }
  const addend = numberOf(operand);
  if (addend === null) {
    throw new Refused(
      "Some of the parameters are not valid V8 values: a sum takes a KvU64, BigInt or Number",
    );
  }
  const [min, max] = [change.min, change.max].map((bytes) => {
    if (bytes.length === 0) return null;
    const bound = numberOf({ data: toHex(bytes), encoding: 1 });
    if (typeof bound !== typeof addend) {
      throw new Refused(
        "Some of the parameters are not valid V8 values: bounds must be of the operand's type",
      );
    }
    return bound;
  });
  if (stored === null) return operand;
  const plain = min === null && max === null && !change.clamp;
  if (stored.encoding === 2) {
    const fits = typeof addend === "bigint" && addend >= 0n &&
      addend < 2n ** 64n;
    if (!plain || !fits) {
      throw new Refused(`Cannot sum KvU64 with ${nameOf(addend)}`);
    }
    return rawU64((u64Of(stored) + addend) % 2n ** 64n);
  }
  const current = numberOf(stored);
  if (current === null) throw new Refused("unsupported value type");
  if (typeof current !== typeof addend) {
    throw new Refused(`Cannot sum ${nameOf(current)} with ${nameOf(addend)}`);
  }
  // deno-lint-ignore no-explicit-any -- of one kind, as just checked.
  let total = (current as any) + addend;
  if (!change.clamp) {
    if ((min !== null && total < min!) || (max !== null && total > max!)) {
      throw new Refused(
        "The result of a Sum operation would exceed its range limit",
      );
    }
  } else {
    if (min !== null && total < min!) total = min;
    if (max !== null && total > max!) total = max;
  }
  return { data: toHex(encodeV8Number(total)), encoding: 1 };
}

function extreme(
  stored: Raw | null,
  kind: "min" | "max",
  value: KvValue,
): Raw {
  const operand = rawOf(value);
  if (operand.encoding !== 2) {
    throw new Refused(
      `Failed to perform '${kind}' mutation on a non-U64 operand`,
    );
  }
  if (stored === null) return operand;
  if (stored.encoding !== 2) {
    throw new Refused(
      `Failed to perform '${kind}' mutation on a non-U64 value in the database`,
    );
  }
  const [a, b] = [u64Of(stored), u64Of(operand)];
  return rawU64(kind === "min" ? (a < b ? a : b) : (a > b ? a : b));
}

function rawOf({ data, encoding }: KvValue): Raw {
  return { data: toHex(data), encoding };
}

function u64Of({ data }: Raw): bigint {
  return Uint8Array.fromHex(data).reduceRight(
    (value, byte) => value * 256n + BigInt(byte),
    0n,
  );
}

function rawU64(value: bigint): Raw {
  const digits = value.toString(16).padStart(16, "0");
  return { data: Uint8Array.fromHex(digits).reverse().toHex(), encoding: 2 };
}

function numberOf({ data, encoding }: Raw): number | bigint | null {
  if (encoding !== 1) return null;
  let value: unknown;
  try {
    value = deserialize(Uint8Array.fromHex(data));
  } catch {
    return null;
  }
  return typeof value === "number" || typeof value === "bigint" ? value : null;
}

function nameOf(value: number | bigint): string {
  return typeof value === "bigint" ? "BigInt" : "Number";
}

function committed(index: number, position: number) {
  const hex = index.toString(16).padStart(16, "0") +
    position.toString(16).padStart(4, "0");
  const versionstamp = Uint8Array.fromHex(hex);
  return { kind: "committed" as const, versionstamp };
}
