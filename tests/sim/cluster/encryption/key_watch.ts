import { equalBytes, toHex } from "../../../../src/base/bytes.ts";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { NodeError } from "../../../../src/base/error.ts";
import { fullNodeId } from "../../../../src/base/identity.ts";
import type { EncryptionState } from "../../../../src/fsm/types.ts";
import { encodeKvKey } from "../../../../src/io/kv_key.ts";
import type { Session } from "../../../../src/keys/sessions.ts";
import {
  parseSidecar,
  type SidecarFound,
} from "../../../../src/keys/sidecar.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import { sessionKey } from "../../../../src/store/row_key.ts";
import { decodeSession } from "../../../../src/store/session_row.ts";
import { fail } from "../../raft/checkers.ts";
import type { Dice } from "../../raft/dice.ts";
import type { Host } from "../host.ts";
import type { Life } from "../life.ts";
import { sealOnce, SIDECAR_PATH } from "../sim_node.ts";
import type { World } from "../world.ts";
import { encryptionLine, encryptionText } from "./encryption_text.ts";
import type { HostKeys } from "./host_keys.ts";
import type { KeySwarm } from "./key_swarm.ts";

/** Codes that no fault of a machine explains, but wrong bits in reads. */
const NEVER: readonly string[] = [
  "NODE_EPOCH_ROLLBACK",
  "NODE_ID_COLLISION",
  "NODE_SIDECAR_MISSING",
  "NODE_SIDECAR_BEHIND",
  "NODE_CUTOVER_DIVERGENCE",
  "KEYS_SIDECAR_TAMPERED",
  "KEYS_SIDECAR_MALFORMED",
  "STORE_STATE_TAMPERED",
  "KEYS_COMMITMENT_MISMATCH",
  "KEYS_KEY_CONFLICT",
];

/** A session of one disk: what it was begun with. */
interface KnownSession {
  readonly life: string;
  readonly salt: string;
}

/**
 * Watches the keys of all hosts: has them seal at random times, and looks at
 * what is durable then.
 */
export class KeyWatch {
  readonly #world: World;
  readonly #swarm: KeySwarm;
  readonly #dice: Dice;
  /** By host: the epochs that its disk had last. */
  readonly #epochs = new Map<string, ReadonlyMap<KeyId, number>>();
  /** By host, key and epoch. */
  readonly #sessions = new Map<string, KnownSession>();
  /** By host: its sidecar and what it says. */
  readonly #sidecars = new Map<string, [Uint8Array, SidecarFound]>();
  seals = 0;
  /** Halts and starts that were refused, as they should be. */
  refusals = 0;
  rollbacks = 0;

  constructor(world: World, swarm: KeySwarm) {
    this.#world = world;
    this.#swarm = swarm;
    this.#dice = world.dice.split("key watch");
  }

  start(): void {
    for (const host of this.#world.hosts) this.#sealLater(host);
  }

  /** `host` has another disk. */
  forget({ name }: Host): void {
    this.#epochs.delete(name);
    for (const id of [...this.#sessions.keys()]) {
      if (id.startsWith(`${name}/`)) this.#sessions.delete(id);
    }
  }

  /** A process was not refused. */
  isUp(host: Host, hadKeys: boolean): void {
    const refusal = host.keys?.refusal ?? null;
    if (refusal === null || !hadKeys) return;
    const how = host.keys?.started;
    this.#world.guardKeys(() =>
      fail("WrongKek", `${host.name} with ${how} was not refused: ${refusal}`)
    );
  }

  /** Looks at the epochs that are durable on the disk of `host`. */
  look(host: Host): void {
    if (this.#world.forgets) return;
    const sidecar = this.sidecar(host);
    const before = this.#epochs.get(host.name);
    if (sidecar === null) {
      if (before !== undefined) this.#lost(host, "its sidecar is gone");
      return;
    }
    const { epochs } = sidecar;
    if (before === epochs) return;
    this.#epochs.set(host.name, epochs);
    for (const [keyId, epoch] of before ?? []) {
      const now = epochs.get(keyId);
      if (now !== undefined && now < epoch) {
        this.#lost(host, `epoch ${now} of key ${keyId} after ${epoch}`);
      }
    }
  }

  /** The sidecar that is durable on the disk of `host`. */
  sidecar({ name, disk }: Host): SidecarFound | null {
    const bytes = disk.durableBytes(SIDECAR_PATH);
    if (bytes === null) return null;
    const known = this.#sidecars.get(name);
    if (known?.[0] === bytes) return known[1];
    const text = new TextDecoder().decode(bytes);
    const found = parseSidecar(SIDECAR_PATH, text);
    this.#sidecars.set(name, [bytes, found]);
    return found;
  }

  /**
   * Tells whether `error` is what `host` must end with as it was started; `null`
   * when that has nothing to do with it.
   */
  judges(host: Host, life: Life, error: Error): boolean | null {
    const { keys } = host;
    if (keys === null || !(error instanceof NodeError)) return null;
    if (keys.explains(error)) {
      this.refusals += 1;
      return !(error instanceof EncryptionHaltedError) ||
        this.#mayBeProven(error, keys);
    }
    if (error instanceof EncryptionHaltedError) return isOfDisk(error, life);
    if (error.code === "NODE_EPOCH_ROLLBACK") this.rollbacks += 1;
    if (!NEVER.includes(error.code)) return null;
    return life.excuses.has("damage");
  }

  /** Has `host` seal now. */
  seal(host: Host): void {
    const { life } = host;
    if (life === null || host.state !== "up") return;
    const purpose = this.#dice.pick(["storage", "raft"] as const);
    const count = this.#dice.between(1, 3);
    life.run(() => {
      sealOnce(life, purpose, count).then(
        (sealed) => void (this.seals += sealed),
        (error) => {
          if (error instanceof NodeError) return;
          this.#world.guardKeys(() => {
            throw error;
          });
        },
      );
    });
  }

  /** Members that are at one entry have one state; nobody is ahead of his. */
  checkAgreement(): void {
    const states = new Map<string, [string, EncryptionState]>();
    for (const host of this.#world.hosts) {
      const { name, state, applied } = host;
      if (host.node === null || applied === null) continue;
      const place = `${applied.applied.term}/${applied.applied.index}`;
      const { encryption } = applied.fsm;
      const [other, theirs] = states.get(place) ?? [name, encryption];
      states.set(place, [other, theirs]);
      if (encryptionText(theirs) === encryptionText(encryption)) continue;
      const lines = [theirs, encryption].map(encryptionLine);
      fail(
        "EncryptionMismatch",
        `${other} and ${name} (${state}) at ${place}: ${lines.join("; ")}`,
      );
    }
  }

  /** It may have proven before that it can, and been told wrongly after that. */
  #mayBeProven(
    { index }: EncryptionHaltedError,
    { startedSinceMs }: HostKeys,
  ): boolean {
    const { truth, keyOperator } = this.#world;
    const change = truth.changes.find((one) => one.index === index);
    const isAsked = change?.kind === "bootstrap" ||
      change?.kind === "rewrap-deks";
    if (keyOperator === null || !isAsked) return true;
    return keyOperator.mayHaveAsked(change.kind, index, startedSinceMs);
  }

  /** Nobody goes on with an epoch below what others know of him. */
  checkRollbacks(): void {
    const up = this.#world.hosts.filter(({ node }) => node !== null);
    for (const host of up) {
      const epochs = this.sidecar(host)?.epochs;
      const own = fullNodeId(host.name);
      const rows = up.flatMap(({ applied }) => [
        ...applied?.fsm.encryption.writers.values() ?? [],
      ]);
      for (const { fullNodeId: whose, keyId, lastEpoch } of rows) {
        const epoch = whose === own
          ? epochs?.get(keyId) ?? lastEpoch
          : Infinity;
        if (epoch >= lastEpoch) continue;
        const what = `${host.name}, key ${keyId}: ${epoch}, not ${lastEpoch}`;
        fail("RollbackUnnamed", what);
      }
    }
  }

  /** A session of `host` is about to seal: its beginnings must be durable. */
  begun(host: Host, session: Session): void {
    const { keyId, purpose, node16, epoch, salt } = session;
    const what = `${host.lifeName}, ${purpose} key ${keyId}, epoch ${epoch}`;
    const durable = this.sidecar(host)?.epochs.get(keyId) ?? 0;
    this.#world.guardKeys(() => {
      if (durable < epoch) fail("EpochNotDurable", `${what}: ${durable}`);
      if (purpose === "storage" && !hasRow(host, session)) {
        fail("SessionRow", `${what} has no row`);
      }
    });
    if (this.#world.forgets) return;
    this.look(host);
    const id = `${host.name}/${keyId}/${node16}/${epoch}`;
    const now = { life: host.lifeName, salt: toHex(salt) };
    const known = this.#sessions.get(id) ?? now;
    this.#sessions.set(id, known);
    if (known.life === now.life && known.salt === now.salt) return;
    this.#world.guardKeys(() =>
      fail("EpochReused", `${what}: also in ${known.life}`)
    );
  }

  #lost(host: Host, what: string): void {
    this.#world.guardKeys(() => fail("EpochWentBack", `${host.name}: ${what}`));
  }

  #sealLater(host: Host): void {
    this.#world.time.after(this.#dice.exponential(this.#swarm.sealMs), () => {
      this.seal(host);
      this.#sealLater(host);
    });
  }
}

/** A sidecar that cannot be written is the disk's fault. */
function isOfDisk({ cause }: EncryptionHaltedError, life: Life): boolean {
  const isWrite = cause instanceof NodeError &&
    cause.code === "KEYS_SIDECAR_WRITE_FAILED";
  return isWrite && ["space", "sync"].some((one) => life.excuses.has(one));
}

function hasRow({ kvFiles }: Host, session: Session): boolean {
  const order = encodeKvKey(sessionKey(session));
  return kvFiles.all().some((rows) => {
    const row = rows.find(order);
    return row !== null &&
      equalBytes(decodeSession(row.value, session).salt, session.salt);
  });
}
