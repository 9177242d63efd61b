import { compareBytes } from "../../../../src/base/bytes.ts";
import type { FsmState, Mutation } from "../../../../src/fsm/types.ts";
import type { LogIndex } from "../../../../src/raft/types.ts";
import type { StoreState } from "../../../../src/store/meta.ts";
import { fail } from "../../raft/checkers.ts";
import {
  encryptionLine,
  encryptionText,
  rolloutLine,
  rolloutText,
} from "../encryption/encryption_text.ts";
import type { Truth } from "../truth.ts";

/** Records of one replica at one applied index, as lines of text. */
export interface Content {
  readonly applied: LogIndex;
  readonly lines: readonly string[];
  readonly fsm: Pick<FsmState, "encryption" | "rollout">;
}

/**
 * Each replica does what the log says, once and in order: every group of
 * entries it makes visible is compared, and all that it stores at audits.
 */
export class ReplicaChecker {
  readonly #truth: Truth;
  /** By life: the last applied index. */
  readonly #applied = new Map<string, LogIndex>();
  /** By member: what its disk had at the last audit. */
  readonly #durable = new Map<string, LogIndex>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** `life` made `state` visible by `mutations`. */
  applied(
    life: string,
    { applied: { index, term }, fsm }: StoreState,
    mutations: readonly Mutation[],
  ): void {
    const from = this.#applied.get(life);
    this.#applied.set(life, index);
    const entry = this.#truth.entry(index);
    // The founding position, and a checkpoint of it, have no entry.
    if (entry === null && mutations.length === 0) return;
    if (entry === null || entry.term !== term) {
      fail("AppliedUncommitted", `${life} applied ${term}/${index}`);
    }
    if (fsm.clockMs !== entry.fsm.clockMs) {
      fail("ReplicaClock", `${life} at ${index}: ${fsm.clockMs}`);
    }
    this.#checkEncryption(life, index, fsm);
    if (from === undefined) return;
    if (index <= from) fail("AppliedTwice", `${life}: ${index} after ${from}`);
    const due: Mutation[] = [];
    for (let at = from + 1; at <= index; at += 1) {
      due.push(...this.#truth.entry(at)?.mutations ?? []);
    }
    if (due.length !== mutations.length) {
      const counts = `${mutations.length} changes, not ${due.length}`;
      fail("ReplicaMismatch", `${life}, ${from + 1} to ${index}: ${counts}`);
    }
    due.forEach((mutation, i) => {
      if (isSame(mutation, mutations[i] as Mutation)) return;
      fail("ReplicaMismatch", `${life}, ${from + 1} to ${index}: change ${i}`);
    });
  }

  /** A checkpoint replaced what `life` had. */
  installed(life: string, { applied: { index }, fsm }: StoreState): void {
    this.#applied.set(life, index);
    this.#checkEncryption(life, index, fsm);
  }

  /** Compares all that the disk of `member` holds. */
  audit(member: string, { applied, lines, fsm }: Content): void {
    const before = this.#durable.get(member) ?? 0;
    if (applied < before) {
      fail("DurableWentBack", `${member}: ${applied} after ${before}`);
    }
    this.#durable.set(member, applied);
    if (applied > this.#truth.last) {
      fail("AppliedUncommitted", `${member} stores ${applied}`);
    }
    this.#checkEncryption(member, applied, fsm);
    const due = this.#truth.contentAt(applied);
    const at = due.findIndex((line, i) => line !== lines[i]);
    if (at < 0 && due.length === lines.length) return;
    const where = at < 0 ? due.length : at;
    fail(
      "ContentMismatch",
      `${member} at ${applied}: "${lines[where] ?? "no more"}" instead of "${
        due[where] ?? "no more"
      }"`,
    );
  }

  #checkEncryption(who: string, index: LogIndex, now: Content["fsm"]): void {
    const due = this.#truth.entry(index)?.fsm;
    if (due === undefined) return;
    if (encryptionText(due.encryption) !== encryptionText(now.encryption)) {
      const [is, not] = [now, due].map((one) => encryptionLine(one.encryption));
      fail("EncryptionMismatch", `${who} at ${index}: ${is}, not ${not}`);
    }
    if (rolloutText(due.rollout) !== rolloutText(now.rollout)) {
      const [is, not] = [now, due].map(({ rollout }) => rolloutLine(rollout));
      fail("RolloutMismatch", `${who} at ${index}: ${is}, not ${not}`);
    }
  }

  /** `member` came with another disk. */
  forget(member: string): void {
    this.#durable.delete(member);
  }
}

function isSame(a: Mutation, b: Mutation): boolean {
  if (a.database !== b.database || compareBytes(a.key, b.key) !== 0) {
    return false;
  }
  if (a.record === null || b.record === null) return a.record === b.record;
  return a.record.expireAtMs === b.record.expireAtMs &&
    a.record.value.encoding === b.record.value.encoding &&
    compareBytes(a.record.value.data, b.record.value.data) === 0 &&
    compareBytes(a.record.versionstamp, b.record.versionstamp) === 0;
}
