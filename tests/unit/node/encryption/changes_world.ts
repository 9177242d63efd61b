import assert from "node:assert/strict";
import { toHex } from "../../../../src/base/bytes.ts";
import type { NodeError } from "../../../../src/base/error.ts";
import type { ErrorCode } from "../../../../src/base/error_code.ts";
import { Custody } from "../../../../src/keys/custody.ts";
import type { EncryptionOperations } from "../../../../src/node/encryption/operations.ts";
import type {
  EncryptionRequest,
  EncryptionResult,
  EncryptionStatus,
  KeyStatus,
} from "../../../../src/node/encryption_port.ts";
import { Engine } from "../../../../src/node/engine.ts";
import type { ChangeTerms } from "../../../../src/node/port.ts";
import {
  HEARTBEAT_MS,
  TestCluster,
  type TestOptions,
} from "../test_cluster.ts";
import { GatedKek } from "./gated_kek.ts";

export const NAMES = ["n1", "n2", "n3"];
export const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: "test",
  accept: [],
};
export const BOOTSTRAP = { kind: "bootstrap" } as const;
export const ROTATE = { kind: "rotate-dek", purpose: "storage" } as const;
export const REWRAP = { kind: "rewrap-deks", keks: [] } as const;
export const REGISTER = { kind: "register-writer" } as const;

/** By name: the last one that started. */
const engines = new Map<string, Engine>();
const { start } = Engine.prototype;
Engine.prototype.start = function (this: Engine): void {
  engines.set(this.peers.identity().name, this);
  start.call(this);
};

const custodies = new Map<string, Custody>();
const { raiseEpochs } = Custody.prototype;
Custody.prototype.raiseEpochs = function (this: Custody): Promise<void> {
  custodies.set(this.node, this);
  return raiseEpochs.call(this);
};

/** A cluster of whole nodes, each with KEKs of its own to hold up and break. */
export class ChangesWorld {
  private constructor(
    readonly cluster: TestCluster,
    /** What a member gets at its next start. */
    readonly keks: Map<string, readonly GatedKek[]>,
    /** Members that start without the flag. */
    readonly off: Set<string>,
  ) {}

  static async start(
    { keks: given = {}, off = [], names = NAMES, ...options }:
      & Partial<TestOptions>
      & {
        readonly names?: readonly string[];
        /** Bytes of the KEKs of a member; 7 unless given. */
        readonly keks?: Readonly<Record<string, readonly number[]>>;
        readonly off?: readonly string[];
      } = {},
  ): Promise<ChangesWorld> {
    const keks = new Map<string, readonly GatedKek[]>();
    const unflagged = new Set(off);
    for (const name of names) keks.set(name, await gated(given[name]));
    const cluster = await TestCluster.start(names, {
      ...options,
      keys: (name) => {
        const own = keks.get(name) ?? [];
        return {
          isEnabled: !unflagged.has(name),
          kekCount: own.length,
          openKeks: () => Promise.resolve(own),
        };
      },
    });
    return new ChangesWorld(cluster, keks, unflagged);
  }

  /** As `start`, with keys that all are registered under. */
  static async bootstrapped(
    given: Parameters<typeof ChangesWorld.start>[0] = {},
  ): Promise<ChangesWorld> {
    const world = await ChangesWorld.start(given);
    await world.done(BOOTSTRAP);
    await world.registered();
    return world;
  }

  kek(name: string, nth = 0): GatedKek {
    return this.keks.get(name)![nth]!;
  }

  /** Gives `name` other KEKs, by a restart. */
  async regive(name: string, ...bytes: readonly number[]): Promise<void> {
    await this.cluster.stop(name);
    this.keks.set(name, await gated(bytes));
    await this.cluster.open(name);
  }

  operations(name: string): EncryptionOperations {
    return this.engine(name).operations;
  }

  /** The keys of the last start of `name`. */
  custody(name: string): Custody {
    return custodies.get(name)!;
  }

  engine(name: string): Engine {
    return engines.get(name)!;
  }

  /** The leader, and the others by name. */
  async roles(
    names?: readonly string[],
  ): Promise<readonly [string, string, string]> {
    const leader = await this.cluster.leader(names);
    const others = NAMES.filter((name) => name !== leader);
    return [leader, ...others] as [string, string, string];
  }

  /** Asks for a change at `at`; it comes with time. */
  ask(
    at: string,
    request: EncryptionRequest,
    terms: Partial<ChangeTerms> = {},
  ): Promise<EncryptionResult> {
    const done = this.operations(at)
      .changeEncryption(request, { ...TERMS, ...terms });
    // Whoever waits for it later is told as well.
    done.catch(() => {});
    return done;
  }

  async done(
    request: EncryptionRequest,
    terms: Partial<ChangeTerms> = {},
  ): Promise<EncryptionResult> {
    const leader = await this.cluster.leader(this.running());
    return await this.cluster.clock.until(this.ask(leader, request, terms));
  }

  /** Lets another member lead, one that has applied what it needs to. */
  async unlead(name: string): Promise<void> {
    const { clock } = this.cluster;
    if (await this.cluster.leader() !== name) return;
    await clock.until(this.cluster.node(name).handOver());
    await clock.run(4 * HEARTBEAT_MS);
  }

  running(): readonly string[] {
    return this.cluster.names()
      .filter((name) => this.cluster.place(name).fatal === null);
  }

  /** Encryption as members have applied it, by name. */
  states(names = this.running()): readonly string[] {
    return names.map((name) => {
      const { state } = this.operations(name).exportEncryptionState();
      return toHex(state);
    });
  }

  /** `change`, time passing, fails with `code`; all is as it was before. */
  async refused(
    change: () => Promise<unknown>,
    code: ErrorCode,
  ): Promise<NodeError & Record<string, unknown>> {
    const before = this.states();
    const found: unknown = await change().then(
      () => assert.fail("it is refused"),
      (error) => error,
    );
    const error = found as NodeError & Record<string, unknown>;
    assert.equal(error.code, code, `${error.message}`);
    await this.unchangedFrom(before);
    return error;
  }

  /** Members have the encryption they had, and serve. */
  async unchangedFrom(before: readonly string[]): Promise<void> {
    const names = this.running();
    const leader = await this.cluster.leader(names);
    const reply = await this.cluster.clock.until(
      this.cluster.write(leader, "k"),
    );
    assert.equal(reply.kind, "committed");
    await this.cluster.clock.run(4 * HEARTBEAT_MS);
    assert.deepEqual(this.states(names), before);
    for (const name of names) {
      assert.equal(this.cluster.place(name).fatal, null, name);
    }
  }

  async status(name: string): Promise<EncryptionStatus> {
    return await this.cluster.clock.until(
      this.operations(name).encryptionStatus(),
    );
  }

  async active(name: string, purpose: string): Promise<KeyStatus> {
    const { keys } = await this.status(name);
    const found = keys.find((key) => key.isActive && key.purpose === purpose);
    assert.ok(found !== undefined);
    return found;
  }

  /** Passes time until `holds`, for 10 s at most. */
  async until(holds: () => Promise<boolean> | boolean): Promise<void> {
    for (let ms = 0; ms < 10_000; ms += HEARTBEAT_MS) {
      if (await holds()) return;
      await this.cluster.clock.run(HEARTBEAT_MS);
    }
    assert.ok(await holds(), "it comes about in time");
  }

  /** Passes time until all have applied that all are registered. */
  async registered(names = this.running()): Promise<void> {
    await this.until(() => {
      const states = this.states(names);
      const isSame = states.every((state) => state === states[0]);
      return isSame &&
        names.every((name) => this.engine(name).encryption.isRegistered);
    });
  }
}

export async function gated(
  bytes: readonly number[] = [7],
): Promise<readonly GatedKek[]> {
  return await Promise.all(bytes.map((byte) => GatedKek.of(byte)));
}

/** A call that has come, and is held until it is let go. */
export class Gate {
  readonly reached: Promise<void>;
  readonly #reach: () => void;
  readonly #open: Promise<void>;
  readonly letGo: () => void;

  constructor() {
    const reached = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    this.reached = reached.promise;
    this.#reach = reached.resolve;
    this.#open = open.promise;
    this.letGo = open.resolve;
  }

  /** For the call. */
  async pass(): Promise<void> {
    this.#reach();
    await this.#open;
  }
}
