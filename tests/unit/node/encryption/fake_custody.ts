import assert from "node:assert/strict";
import { type Bytes, concatBytes, utf8 } from "../../../../src/base/bytes.ts";
import {
  EPOCH_MAX,
  type KeyId,
  type KeyWrap,
  NO_KEY,
  type WrappedKey,
} from "../../../../src/base/data_key.ts";
import { NodeError } from "../../../../src/base/error.ts";
import type { ErrorCode } from "../../../../src/base/error_code.ts";
import type { Dek } from "../../../../src/crypto/dek.ts";
import { sha256 } from "../../../../src/base/sha256.ts";
import type { KeyCustody, SharedKeys } from "../../../../src/keys/port.ts";

/** What outlives a process. */
export interface FakeSidecar {
  readonly index: number;
  readonly epochs: ReadonlyMap<KeyId, number>;
}

export const NO_SIDECAR: FakeSidecar = { index: 0, epochs: new Map() };

export class CustodyFailure extends NodeError {
  override readonly name = "CustodyFailure";
  override readonly remedy = "Do what helps";

  constructor(override readonly code: ErrorCode) {
    super(`Cannot do it: ${code}`);
  }
}

/** Keys without keys: epochs and a sidecar as the real one has them. */
export class FakeCustody implements KeyCustody {
  readonly isEnabled = true;
  readonly kekIds = ["file:00"];
  readonly isRaised = true;
  storageCutoverIndex = 0;
  readonly absorbed: number[] = [];
  /** In the place of every key, where sessions are opened. */
  secret: Dek | null = null;
  clusterId: Bytes | null = null;
  /** Called first in every absorb. */
  beforeAbsorb: () => Promise<void> | void = () => {};
  sidecar: FakeSidecar;

  constructor(readonly node: string, sidecar = NO_SIDECAR) {
    this.sidecar = sidecar;
  }

  /** As a start that found everything right: all epochs rise. */
  static opened(node: string, { index, epochs }: FakeSidecar): FakeCustody {
    const raised = new Map(
      [...epochs].map(([id, epoch]) => [id, Math.min(epoch + 1, EPOCH_MAX)]),
    );
    return new FakeCustody(node, { index, epochs: raised });
  }

  get sidecarIndex(): number {
    return this.sidecar.index;
  }

  activeKey(): KeyId {
    return [...this.sidecar.epochs.keys()][0] ?? NO_KEY;
  }

  openKey(): Promise<Dek> {
    assert(this.secret !== null, "a key is set");
    return Promise.resolve(this.secret);
  }

  gaps(): Promise<[]> {
    return Promise.resolve([]);
  }

  async absorb(
    clusterId: Bytes,
    { stateIndex, keys, storageCutoverIndex }: SharedKeys,
    ownLastEpoch: (keyId: KeyId) => number,
  ): Promise<void> {
    assert.equal(clusterId.length, 16);
    this.clusterId = clusterId;
    await this.beforeAbsorb();
    this.absorbed.push(stateIndex);
    if (stateIndex <= this.sidecar.index) return;
    this.storageCutoverIndex = storageCutoverIndex;
    const epochs = new Map<KeyId, number>();
    for (const id of keys.keys()) {
      epochs.set(id, this.sidecar.epochs.get(id) ?? ownLastEpoch(id) + 1);
    }
    this.sidecar = { index: stateIndex, epochs };
  }

  stateMac(clusterId: Bytes, row: Bytes): Promise<Bytes> {
    return Promise.resolve(sha256(concatBytes(clusterId, utf8("mac"), row)));
  }

  epochs(): ReadonlyMap<KeyId, number> {
    return this.sidecar.epochs;
  }

  filesystemFault(): Promise<null> {
    return Promise.resolve(null);
  }

  isSpent(): boolean {
    return false;
  }

  raiseEpochs(): Promise<void> {
    return Promise.resolve();
  }

  nextEpoch(keyId: KeyId, above = 0): Promise<number> {
    const { index, epochs } = this.sidecar;
    const epoch = Math.max(epochs.get(keyId) ?? EPOCH_MAX, above) + 1;
    assert.ok(epoch <= EPOCH_MAX);
    this.sidecar = { index, epochs: new Map(epochs).set(keyId, epoch) };
    return Promise.resolve(epoch);
  }

  dek(): Dek {
    assert.ok(this.secret !== null);
    return this.secret;
  }

  drawKey(): Promise<WrappedKey> {
    return Promise.reject(new Error("not asked here"));
  }

  rewrap(): Promise<never> {
    return Promise.reject(new Error("not asked here"));
  }

  /** Hides nothing. */
  wrapChallenge(challenge: Bytes): Promise<readonly KeyWrap[]> {
    return Promise.resolve([{ kek: "file:00", wrapped: challenge }]);
  }

  openChallenge(wraps: readonly KeyWrap[]): Promise<Bytes | null> {
    return Promise.resolve(wraps[0]?.wrapped ?? null);
  }
}
