import type {
  ClusterKey,
  ClusterKeyPurpose,
  MemberEncryption,
  MemberVitals,
} from "../../src/admin/client.ts";
import { ageText, countText } from "./amount.ts";
import { latestEncryption } from "./seen.ts";

/** Of a key's id, which is a u32. */
export const KEY_ID_DIGITS_MAX = 10;

const ORDER: readonly ClusterKeyPurpose[] = [
  "storage",
  "raft",
  "state",
  "unknown",
];

/** A data key as a row shows it; all of it but `key` is text. */
export interface KeyRow {
  readonly id: string;
  readonly purpose: string;
  /** "active", "old", or "-" for one that never seals. */
  readonly state: string;
  readonly age: string;
  /** Envelopes that running members have sealed with it; "-" if none say so. */
  readonly seals: string;
  /** Nodes that may have sealed with it. */
  readonly writers: string;
  readonly kek: string;
  readonly key: ClusterKey;
}

/** What keys are told from. */
export interface KeysSeen {
  readonly nowMs: number;
  readonly encryption: readonly MemberEncryption[];
  readonly vitals: readonly MemberVitals[];
}

/** By purpose; what is active first, then the newest. */
export function keyRows(
  { nowMs, encryption, vitals }: KeysSeen,
): readonly KeyRow[] {
  const keys = latestEncryption(encryption)?.keys ?? [];
  return keys.toSorted(byPurpose).map((key) => {
    const seals = sealsOf(key.id, vitals);
    const [first = "-", ...others] = key.keks;
    return {
      id: String(key.id),
      purpose: key.purpose,
      state: key.purpose === "state" ? "-" : key.isActive ? "active" : "old",
      age: ageText(nowMs - Number(key.createdMs)),
      seals: key.purpose === "state" || seals.length === 0
        ? "-"
        : countText(seals.reduce((all, { count }) => all + Number(count), 0)),
      writers: String(key.writers.length),
      kek: others.length === 0 ? first : `${first} +${others.length}`,
      key,
    };
  });
}

/** By the members that answer; each counts since its process began. */
export function sealsOf(
  keyId: number,
  vitals: readonly MemberVitals[],
): readonly { readonly member: string; readonly count: bigint }[] {
  return vitals.flatMap(({ member, vitals }) =>
    vitals === null ? [] : [{
      member,
      count: vitals.seals.find((one) => one.keyId === keyId)?.count ?? 0n,
    }]
  );
}

function byPurpose(a: ClusterKey, b: ClusterKey): number {
  return ORDER.indexOf(a.purpose) - ORDER.indexOf(b.purpose) ||
    Number(b.isActive) - Number(a.isActive) ||
    Number(b.createdIndex - a.createdIndex) || a.id - b.id;
}
