import { assert } from "../base/assert.ts";
import { type Bytes, equalBytes, utf8 } from "../base/bytes.ts";
import {
  EPOCH_MAX,
  EPOCH_WARNING,
  type KeyId,
  type KeyPurpose,
  type KeyWrap,
  NO_KEY,
  SEALING_PURPOSES,
  type SealingPurpose,
  type WrappedKey,
} from "../base/data_key.ts";
import { NodeError } from "../base/error.ts";
import type { Dek } from "../crypto/dek.ts";
import { signHmac } from "../crypto/hmac.ts";
import { deriveMacKey, sidecarMacInfo, stateMacInfo } from "../crypto/mac.ts";
import type { Disk } from "../io/disk.ts";
import type { Random } from "../io/random.ts";
import { openDataKey } from "./data_key.ts";
import { KekRing } from "./kek_ring.ts";
import { Keystore } from "./keystore.ts";
import { openSidecar } from "./open_sidecar.ts";
import type {
  CustodyGap,
  Kek,
  KeyCustody,
  SharedKeys,
  WrapContext,
} from "./port.ts";
import {
  formatSidecar,
  parseSidecar,
  type SidecarContent,
  type SidecarFound,
  sidecarText,
} from "./sidecar.ts";
import { absorbShared, raiseEpochs, takeEpoch } from "./sidecar_change.ts";
import { probeFilesystem, sidecarPath, writeSidecar } from "./sidecar_file.ts";

export interface CustodyParts {
  readonly disk: Disk;
  /** The sidecar's directory: `<data-dir>/encryption`. */
  readonly dir: string;
  readonly node: string;
  readonly random: Random;
  /** `--encryption-enabled` is given. */
  readonly isEnabled: boolean;
  /** The primary one first; at most WRAPS_MAX, no id twice. */
  readonly keks: readonly Kek[];
  /** As `readSidecar` gave it. */
  readonly sidecar: SidecarFound | null;
}

/** An active key whose epochs are about to be used up. */
export interface EpochWarning {
  readonly keyId: KeyId;
  readonly purpose: SealingPurpose;
  readonly epoch: number;
}

/**
 * Opens a node's keys. No epoch is raised: `raiseEpochs` does that, once all
 * guards have let the node start.
 *
 * @throws {KekMismatchError} No KEK of this node opens some key.
 * @throws {SidecarTamperedError} The MAC or a commitment does not hold.
 * @throws {WrapRejectedError} A wrap was damaged before it came here.
 * @throws {KekUnavailableError}
 */
export async function openCustody(parts: CustodyParts): Promise<Custody> {
  const { dir, node, keks, sidecar } = parts;
  const keystore = sidecar === null
    ? new Keystore()
    : await openSidecar({ path: sidecarPath(dir), node, keks }, sidecar);
  return new Custody(parts, keystore);
}

/** See `KeyCustody`. Printing one shows no key. */
export class Custody implements KeyCustody {
  readonly node: string;
  readonly isEnabled: boolean;
  readonly kekIds: readonly string[];
  readonly #parts: CustodyParts;
  readonly #ring: KekRing;
  /** What is on disk: replaced as one, after it is durable. */
  #content: SidecarContent | null;
  #keystore: Keystore;
  #isRaised = false;
  /** Keys whose last epoch is not this process's own. */
  readonly #spent = new Set<KeyId>();
  #last: Promise<unknown> = Promise.resolve();
  #lastProbe: Promise<unknown> = Promise.resolve();

  /** `keystore` holds the keys of the sidecar. */
  constructor(parts: CustodyParts, keystore: Keystore) {
    this.node = parts.node;
    this.isEnabled = parts.isEnabled;
    this.#ring = new KekRing(parts.keks, parts.random);
    this.kekIds = this.#ring.ids;
    this.#parts = parts;
    this.#content = parts.sidecar;
    this.#keystore = keystore;
  }

  get sidecarIndex(): number {
    return this.#content?.shared.stateIndex ?? 0;
  }

  get storageCutoverIndex(): number {
    return this.#content?.shared.storageCutoverIndex ?? 0;
  }

  get clusterId(): Bytes | null {
    return this.#content?.clusterId ?? null;
  }

  /** Whether this process has epochs of its own. */
  get isRaised(): boolean {
    return this.#isRaised;
  }

  /** Whether this process has no epoch of the key to begin a session with. */
  isSpent(keyId: KeyId): boolean {
    return this.#spent.has(keyId);
  }

  epochs(): ReadonlyMap<KeyId, number> {
    return this.#content?.epochs ?? new Map();
  }

  /** Active keys whose epochs are about to be used up. */
  get epochWarnings(): readonly EpochWarning[] {
    const active = this.#content?.shared.active;
    if (active === undefined) return [];
    return SEALING_PURPOSES.flatMap((purpose) => {
      const keyId = active[purpose];
      const epoch = this.epochs().get(keyId) ?? 0;
      return epoch < EPOCH_WARNING ? [] : [{ keyId, purpose, epoch }];
    });
  }

  /** @throws {KeyUnknownError} */
  dek(keyId: KeyId, purpose: KeyPurpose): Dek {
    return this.#keystore.get(keyId, purpose);
  }

  activeKey(purpose: SealingPurpose): KeyId {
    return this.#content?.shared.active[purpose] ?? NO_KEY;
  }

  async openKey(
    clusterId: Bytes,
    key: WrappedKey,
    known: readonly WrappedKey[],
  ): Promise<Dek> {
    const ring = this.isEnabled
      ? this.#ring
      : new KekRing([], this.#parts.random);
    return await openDataKey(ring.opening(clusterId, known), key);
  }

  gaps(): Promise<readonly CustodyGap[]> {
    const gaps = this.#lastProbe.then(() => this.#probe());
    this.#lastProbe = gaps.catch(() => {});
    return gaps;
  }

  filesystemFault(): Promise<Error | null> {
    if (!this.isEnabled) return Promise.resolve(null);
    const fault = this.#lastProbe.then(() => this.#probeFilesystem());
    this.#lastProbe = fault.catch(() => {});
    return fault;
  }

  absorb(
    clusterId: Bytes,
    shared: SharedKeys,
    ownLastEpoch: (keyId: KeyId) => number,
  ): Promise<void> {
    return this.#inOrder(async () => {
      const before = this.#content;
      const brought = { node: this.node, clusterId, shared, ownLastEpoch };
      const next = absorbShared(before, brought);
      if (next === null || next === before) return;
      await this.#save(next, await this.#keystoreOf(next));
      for (const id of next.epochs.keys()) {
        const isNew = before?.epochs.has(id) !== true;
        if (isNew && ownLastEpoch(id) === EPOCH_MAX) this.#spent.add(id);
      }
    });
  }

  /** Begins the epochs of this process, in one write; called once, first. */
  raiseEpochs(): Promise<void> {
    return this.#inOrder(async () => {
      assert(!this.#isRaised, "a process raises its epochs once");
      const before = this.#content;
      if (before !== null) {
        await this.#save(raiseEpochs(before), this.#keystore);
      }
      for (const [id, epoch] of before?.epochs ?? []) {
        if (epoch === EPOCH_MAX) this.#spent.add(id);
      }
      this.#isRaised = true;
    });
  }

  nextEpoch(keyId: KeyId, above = 0): Promise<number> {
    return this.#inOrder(async () => {
      const { after, epoch } = takeEpoch(this.#content, keyId, above);
      await this.#save(after, this.#keystore);
      return epoch;
    });
  }

  async stateMac(clusterId: Bytes, row: Bytes): Promise<Bytes> {
    assert(this.#content !== null, "a state key is there");
    const dek = this.#keystore.get(this.#content.shared.stateKey, "state");
    const info = stateMacInfo(clusterId, this.node);
    return await signHmac(await deriveMacKey(dek, info), row);
  }

  async drawKey(
    options: Parameters<KeyCustody["drawKey"]>[0],
  ): Promise<WrappedKey> {
    const taken = (id: KeyId) => this.epochs().has(id) || options.taken(id);
    return await this.#ring.draw({ ...options, taken });
  }

  async rewrap(
    clusterId: Bytes,
    key: WrappedKey,
    keks: readonly string[],
  ): Promise<readonly KeyWrap[]> {
    return await this.#ring.rewrap(clusterId, key, keks);
  }

  async wrapChallenge(
    challenge: Bytes,
    context: WrapContext,
    keks: readonly string[],
  ): Promise<readonly KeyWrap[]> {
    return await this.#ring.wrapChallenge(challenge, context, keks);
  }

  async openChallenge(
    wraps: readonly KeyWrap[],
    context: WrapContext,
  ): Promise<Bytes | null> {
    return await this.#ring.openChallenge(wraps, context);
  }

  /** The keys of `next`: new and rewrapped ones opened, others as they are. */
  async #keystoreOf(next: SidecarContent): Promise<Keystore> {
    const keystore = new Keystore(this.#keystore);
    const { keys } = next.shared;
    // A node that is told to take no part opens nothing new.
    const ring = this.isEnabled
      ? this.#ring
      : new KekRing([], this.#parts.random);
    const opening = ring.opening(next.clusterId, [...keys.values()]);
    for (const key of keys.values()) {
      const isHeld = keystore.holds(key);
      if (isHeld && sameWraps(key, this.#content?.shared.keys.get(key.id))) {
        continue;
      }
      const dek = await openDataKey(opening, key);
      await keystore.put(next.clusterId, key, dek);
    }
    for (const id of keystore.ids) {
      if (!keys.has(id)) keystore.forget(id);
    }
    return keystore;
  }

  async #save(next: SidecarContent, keystore: Keystore): Promise<void> {
    const { disk, dir } = this.#parts;
    const text = sidecarText(next);
    const isWritten = this.#content !== null &&
      sidecarText(this.#content) === text;
    if (!isWritten) {
      const dek = keystore.get(next.shared.stateKey, "state");
      const info = sidecarMacInfo(next.clusterId, this.node);
      const mac = await signHmac(await deriveMacKey(dek, info), utf8(text));
      const file = formatSidecar(next, mac);
      const readBack = parseSidecar(sidecarPath(dir), file);
      assert(readBack.text === text, "a sidecar reads back");
      await writeSidecar(disk, dir, file);
    }
    this.#content = next;
    this.#keystore = keystore;
  }

  async #probe(): Promise<readonly CustodyGap[]> {
    const gaps: CustodyGap[] = [];
    if (!this.isEnabled) gaps.push({ kind: "flag" });
    const kek = await this.#ring.gap();
    if (kek !== null) gaps.push(kek);
    if (!this.isEnabled) return gaps;
    const cause = await this.#probeFilesystem();
    if (cause !== null) gaps.push({ kind: "sidecar", cause });
    return gaps;
  }

  async #probeFilesystem(): Promise<Error | null> {
    try {
      await probeFilesystem(this.#parts.disk, this.#parts.dir);
      return null;
    } catch (fault) {
      if (!(fault instanceof NodeError)) throw fault;
      return fault;
    }
  }

  #inOrder<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    return result;
  }
}

function sameWraps(key: WrappedKey, other: WrappedKey | undefined): boolean {
  return key.wraps.length === other?.wraps.length &&
    key.wraps.every(({ kek, wrapped }, i) => {
      const known = other.wraps[i];
      return known?.kek === kek && equalBytes(known.wrapped, wrapped);
    });
}
