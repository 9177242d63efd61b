import type {
  KvInput,
  ModelChange,
  ModelCheck,
  ModelRange,
} from "../../linearizability/kv_model.ts";
import type { Dice } from "../raft/dice.ts";
import { MARK_PREFIX } from "./values.ts";

/** Keys that one operation may touch together; groups share no operation. */
export interface KeyGroup {
  readonly name: string;
  /** Ascending. */
  readonly registers: readonly string[];
  readonly counters: readonly string[];
}

/** Few keys: clients meet. */
export const KEY_GROUPS: readonly KeyGroup[] = ["a", "b", "c"].map((name) => ({
  name,
  registers: [`${name}/r1`, `${name}/r2`],
  counters: [`${name}/s1`, `${name}/u1`],
}));

const SUM_MAX = 40n;

/** One operation as a client asks for it. */
export interface Planned {
  readonly group: KeyGroup;
  readonly input: KvInput;
  readonly isStrong: boolean;
}

type Stamps = ReadonlyMap<string, string | null>;

/** Draws operations of one client. */
export class Workload {
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /**
   * The next operation; its writes carry `id`. Checks are about `known`: the
   * versionstamps that this client saw last in each key.
   */
  next(id: string, known: Stamps): Planned {
    const dice = this.#dice;
    const group = dice.pick(KEY_GROUPS);
    const isRead = dice.chance(0.4);
    const input: KvInput = isRead
      ? { kind: "read", ranges: this.#ranges(group) }
      : { kind: "write", id, ...this.#write(group, id, known) };
    return { group, input, isStrong: !isRead || dice.chance(0.75) };
  }

  #ranges(group: KeyGroup): readonly ModelRange[] {
    const dice = this.#dice;
    const all = keysOf(group);
    const point = (key: string) => ({ keys: [key], limit: 1, reverse: false });
    switch (dice.below(4)) {
      case 0:
        return [{
          keys: all,
          limit: dice.pick([2, 3, 100]),
          reverse: dice.chance(0.5),
        }];
      case 1:
        return all.map(point);
      default:
        return [point(dice.pick(all))];
    }
  }

  #write(
    group: KeyGroup,
    id: string,
    known: Stamps,
  ): { checks: readonly ModelCheck[]; changes: readonly ModelChange[] } {
    const dice = this.#dice;
    const key = dice.pick(group.registers);
    const set = (at: string) => ({ kind: "set" as const, key: at, value: id });
    const check = (at: string) => ({ key: at, stamp: known.get(at) ?? null });
    const [client] = id.split(".");
    const mark = set(`${MARK_PREFIX}${client}`);
    switch (dice.below(6)) {
      case 0:
        return { checks: [], changes: [set(key)] };
      case 1:
        return { checks: [check(key)], changes: [set(key)] };
      case 2:
        return { checks: [], changes: group.registers.map(set) };
      case 3: {
        const checks = group.registers.map(check);
        return { checks, changes: [set(key), this.#sum(group)] };
      }
      case 4: {
        const isChecked = dice.chance(0.5);
        const changes = [mark, { kind: "delete" as const, key }];
        return { checks: isChecked ? [check(key)] : [], changes };
      }
      default:
        return { checks: [], changes: [mark, this.#sum(group)] };
    }
  }

  #sum({ counters }: KeyGroup): ModelChange {
    const dice = this.#dice;
    const [bounded = "", u64 = ""] = counters;
    if (dice.chance(0.5)) {
      const [by, min, max] = [1n, null, null];
      return { kind: "sum", key: u64, by, isU64: true, min, max, clamp: false };
    }
    const by = dice.pick([1n, 5n, -3n]);
    const isOpen = dice.chance(0.2);
    return {
      kind: "sum",
      key: bounded,
      by,
      isU64: false,
      min: isOpen ? null : 0n,
      max: isOpen ? null : SUM_MAX,
      clamp: !isOpen && dice.chance(0.3),
    };
  }
}

/** Ascending. */
export function keysOf({ registers, counters }: KeyGroup): readonly string[] {
  return [...registers, ...counters];
}
