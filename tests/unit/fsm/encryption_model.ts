import { toHex } from "../../../src/base/bytes.ts";
import type { EncryptionChange } from "../../../src/fsm/types.ts";

interface ModelKey {
  readonly id: number;
  readonly purpose: string;
  readonly commitment: string;
  readonly createdMs: number;
  wraps: readonly string[];
  readonly created: number;
  deactivated: number;
}

interface ModelRow {
  readonly key: number;
  readonly node: bigint;
  readonly first: number;
  last: number;
}

/**
 * The decisions once more, from encryption.md alone: lists that are searched,
 * changed in place. Knows no limits of size.
 */
export class EncryptionModel {
  stateIndex = 0;
  keys: ModelKey[] = [];
  retired: number[] = [];
  rows: ModelRow[] = [];
  storageCutover = 0;
  raftCutover = 0;
  lock = 0;

  /** Returns the code of the refusal, "same" for no change, or "". */
  apply(index: number, change: EncryptionChange): string {
    if (change.kind !== "bootstrap" && this.keys.length === 0) {
      return "not-bootstrapped";
    }
    switch (change.kind) {
      case "registration":
        return this.#register(change);
      case "bootstrap":
        return this.#bootstrap(index, change);
      case "rotate-dek":
        return this.#rotate(index, change);
      case "rewrap-deks":
        return this.#rewrap(index, change);
      case "retire-dek":
        return this.#retire(index, change.keyId);
      case "enable-storage-envelope":
        if (this.storageCutover !== 0) return "same";
        this.storageCutover = this.stateIndex = index;
        return "";
      case "enable-raft-envelope":
        if (this.storageCutover === 0) return "storage-envelope-off";
        if (this.raftCutover !== 0) return "same";
        this.raftCutover = this.stateIndex = index;
        return "";
      case "seal-cleartext":
        if (this.storageCutover === 0) return "storage-envelope-off";
        if (this.lock !== 0) return "same";
        this.lock = this.stateIndex = index;
        return "";
    }
  }

  /** The one of a purpose that nothing has taken the place of. */
  active(purpose: string): number {
    const found = this.keys.filter((key) =>
      key.purpose === purpose && key.deactivated === 0
    );
    return found.length === 1 ? found[0]!.id : 0;
  }

  #bootstrap(
    index: number,
    { keys }: EncryptionChange & { kind: "bootstrap" },
  ): string {
    if (this.keys.length > 0) return "already-bootstrapped";
    const purposes = keys.map(({ purpose }) => purpose).sort().join();
    if (purposes !== "raft,state,storage") return "wrong-purpose";
    if (new Set(keys.map(({ id }) => id)).size < 3) return "key-id-reused";
    for (const key of keys) this.#add(index, key);
    this.stateIndex = index;
    return "";
  }

  #add(
    index: number,
    key: (EncryptionChange & { kind: "rotate-dek" })["key"],
  ): void {
    this.keys.push({
      id: key.id,
      purpose: key.purpose,
      commitment: toHex(key.commitment),
      createdMs: key.createdMs,
      wraps: key.wraps.map(({ kek, wrapped }) => `${kek} ${toHex(wrapped)}`),
      created: index,
      deactivated: 0,
    });
  }

  #rotate(
    index: number,
    { key, replaces }: EncryptionChange & { kind: "rotate-dek" },
  ): string {
    if (key.purpose === "state") return "wrong-purpose";
    if (this.active(key.purpose) !== replaces) return "stale";
    const ids = [...this.keys.map(({ id }) => id), ...this.retired];
    if (ids.includes(key.id)) return "key-id-reused";
    for (const old of this.keys) {
      if (old.id === replaces) old.deactivated = index;
    }
    this.#add(index, key);
    this.stateIndex = index;
    return "";
  }

  #rewrap(
    index: number,
    { wraps }: EncryptionChange & { kind: "rewrap-deks" },
  ): string {
    const named = [...wraps.keys()].sort().join();
    if (named !== this.keys.map(({ id }) => id).sort().join()) return "stale";
    for (const key of this.keys) {
      key.wraps = wraps.get(key.id)!
        .map(({ kek, wrapped }) => `${kek} ${toHex(wrapped)}`);
    }
    this.stateIndex = index;
    return "";
  }

  #retire(index: number, id: number): string {
    const key = this.keys.find((one) => one.id === id);
    if (key === undefined) return "unknown-key";
    if (key.purpose === "state") return "wrong-purpose";
    if (key.deactivated === 0) return "key-active";
    this.keys = this.keys.filter((one) => one.id !== id);
    this.rows = this.rows.filter((row) => row.key !== id);
    this.retired.push(id);
    this.stateIndex = index;
    return "";
  }

  #register(
    { fullNodeId, claims }: EncryptionChange & { kind: "registration" },
  ): string {
    const rows = this.rows.map((row) => ({ ...row }));
    let outcome = "same";
    for (const { keyId, epoch } of claims) {
      const key = this.keys.find(({ id }) => id === keyId);
      if (key === undefined) return "unknown-key";
      if (key.purpose === "state") return "wrong-purpose";
      const row = rows.find((one) =>
        one.key === keyId && (one.node - fullNodeId) % 65_536n === 0n
      );
      if (row === undefined) {
        rows.push({ key: keyId, node: fullNodeId, first: epoch, last: epoch });
        outcome = "";
        continue;
      }
      if (row.node !== fullNodeId) return "node-collision";
      if (epoch < row.last) return "epoch-rollback";
      if (epoch === row.last) continue;
      row.last = epoch;
      outcome = "";
    }
    this.rows = rows;
    return outcome;
  }
}
