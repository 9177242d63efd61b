import { fullNodeId, node16Of } from "../../../../src/base/identity.ts";
import type { EncryptionState, FsmState } from "../../../../src/fsm/types.ts";
import type { KvRow } from "../../../../src/io/kv.ts";
import {
  decodeHeader,
  headerBytes,
} from "../../../../src/store/checkpoint/header.ts";
import type { StoreState } from "../../../../src/store/meta.ts";
import { fail } from "../../raft/checkers.ts";
import type { Host } from "../host.ts";
import { CHECKPOINT_DIR, currentStore, WAL_DIR } from "../sim_node.ts";
import type { World } from "../world.ts";
import { findCanaries } from "./canary.ts";
import { lookAtRow } from "./record_rows.ts";

/** A checkpoint that was chosen before the cutover may still be offered. */
const OFFER_GRACE_MS = 1_000;

/** What is looked at. */
export type CanaryHost = Pick<
  Host,
  "name" | "lifeName" | "applied" | "disk" | "kvFiles"
>;
export interface CanaryWorld extends Pick<World, "forgets" | "now"> {
  readonly truth: {
    readonly fsm: Pick<FsmState, "encryption">;
    attempts(id: string): readonly { readonly index: number }[];
  };
}

/** Where bytes of a host's disk are. */
type Place = "store" | "log" | "checkpoint" | "other";

/**
 * Looks for values in cleartext where none may be any more (testing.md, 5): in
 * all that nodes write, when they write it, and in all that disks hold.
 *
 * 1. From the storage cutover on no new value gets into a store or a
 *    checkpoint, nor an old one into a store built from a sealed checkpoint.
 * 2. From the raft cutover on none gets into the log.
 * 3. After rewrite, lock, raft cutover and scrub none is anywhere.
 */
export class CanaryWatch {
  readonly #world: CanaryWorld;
  /** Hosts whose current store was built sealed. */
  readonly #builtSealed = new Set<string>();
  /** By host: when its process applied the storage cutover, or started. */
  readonly #sealsSinceMs = new Map<string, number>();
  /** What was looked at. */
  looks = 0;

  constructor(world: CanaryWorld) {
    this.#world = world;
  }

  /** `host` is about to write `bytes` to a file. */
  wrote(host: CanaryHost, path: string, bytes: Uint8Array): void {
    // What was committed may not be what is: only headers tell the truth.
    if (this.#world.forgets) return;
    const ids = findCanaries(bytes);
    if (ids.length === 0) return;
    this.looks += 1;
    const place = placeOf(path);
    for (const id of ids) this.#judge(host, place, id, path);
  }

  /** `host` is about to write a row of a store. */
  wroteRow(host: CanaryHost, path: string, { key, value }: KvRow): void {
    this.wrote(host, path, value);
    const record = lookAtRow(key, value);
    if (record !== null) this.#judgeRecord(host, record);
  }

  applied(host: CanaryHost, { fsm: { encryption } }: StoreState): void {
    if (encryption.storageCutoverIndex === 0) return;
    if (this.#sealsSinceMs.has(host.lifeName)) return;
    this.#sealsSinceMs.set(host.lifeName, this.#world.now);
  }

  /** A checkpoint took the place of what `host` had. */
  installed(host: CanaryHost, { fsm }: StoreState): void {
    if (fsm.encryption.storageCutoverIndex > 0) {
      this.#builtSealed.add(host.name);
    } else this.#builtSealed.delete(host.name);
  }

  /** `host` has another disk. */
  forget({ name }: CanaryHost): void {
    this.#builtSealed.delete(name);
  }

  /** A node wrote to its log which checkpoint it is about to send. */
  heard(host: CanaryHost, line: string): void {
    const fields = /^\w+ checkpoint_offered (.*)$/.exec(line)?.[1];
    const sinceMs = this.#sealsSinceMs.get(host.lifeName);
    if (fields === undefined || sinceMs === undefined) return;
    const { index } = JSON.parse(fields) as { readonly index: number };
    const cutover = stateOf(host)?.storageCutoverIndex ?? 0;
    if (index >= cutover || this.#world.now < sinceMs + OFFER_GRACE_MS) return;
    const what = `${host.name} offers a checkpoint of ${index}`;
    fail("CheckpointBelowCutover", `${what}, sealed since ${cutover}`);
  }

  /** Looks at all that is durable on the disk of `host`. */
  look(host: CanaryHost): void {
    for (const path of host.disk.durablePaths()) {
      if (placeOf(path) !== "checkpoint") continue;
      const bytes = host.disk.durableBytes(path);
      if (bytes !== null) this.#lookAtCheckpoint(host, path, bytes);
    }
    const store = host.kvFiles.peek(currentStore(host.disk));
    for (const { key, value } of store?.rows ?? []) {
      const record = lookAtRow(key, value);
      if (record !== null) this.#judgeRecord(host, record);
      if (!this.#builtSealed.has(host.name)) continue;
      const [id] = findCanaries(value);
      if (id === undefined) continue;
      fail("Canary", `${host.name}: ${id} in a store that was built sealed`);
    }
  }

  /** Nothing that was ever written can be read in any file of `hosts`. */
  lookEverywhere(hosts: readonly CanaryHost[]): void {
    for (const host of hosts) {
      for (const [path, bytes] of host.disk.everything()) {
        this.#mustBeClean(host, path, bytes);
      }
      for (const [path, rows] of host.kvFiles.named()) {
        for (const { value } of rows) this.#mustBeClean(host, path, value);
      }
    }
  }

  #mustBeClean(host: CanaryHost, path: string, bytes: Uint8Array): void {
    const [id] = findCanaries(bytes);
    if (id === undefined) return;
    const at = this.#indexOf(id) ?? "no entry";
    fail("Canary", `${host.name} "${path}" still has ${id} of ${at}`);
  }

  #lookAtCheckpoint(host: CanaryHost, path: string, bytes: Uint8Array): void {
    const [id] = findCanaries(bytes);
    if (id === undefined) return;
    let cutover: number;
    try {
      const head = bytes.slice(0, headerBytes(path, bytes.slice()));
      cutover = decodeHeader(path, head).state.fsm.encryption
        .storageCutoverIndex;
    } catch {
      // Not all of it is there yet.
      return;
    }
    if (cutover === 0) return;
    fail("Canary", `${host.name} "${path}" of after ${cutover} has ${id}`);
  }

  #judge(host: CanaryHost, place: Place, id: string, path: string): void {
    const what = `${host.name} writes ${id} to "${path}"`;
    const index = this.#indexOf(id);
    const { storageCutoverIndex, raftCutoverIndex } =
      this.#world.truth.fsm.encryption;
    switch (place) {
      case "other":
        return fail("Canary", what);
      case "store":
      case "checkpoint":
        if (storageCutoverIndex === 0 || index === null) return;
        if (index < storageCutoverIndex) return;
        return fail("Canary", `${what}, of entry ${index}`);
      case "log": {
        if (raftCutoverIndex === 0) return;
        if (index !== null && index < raftCutoverIndex) return;
        // A leader that was left behind may not know of the cutover.
        const own = stateOf(host)?.raftCutoverIndex ?? 0;
        if (index === null && own === 0) return;
        return fail("Canary", `${what}, of entry ${index ?? "none yet"}`);
      }
    }
  }

  #judgeRecord(
    host: CanaryHost,
    { index, seal }: NonNullable<ReturnType<typeof lookAtRow>>,
  ): void {
    const cutover = stateOf(host)?.storageCutoverIndex ?? 0;
    if (seal === null) {
      if (cutover === 0 || index <= cutover) return;
      fail("Canary", `${host.name} keeps a record of ${index} in cleartext`);
    }
    if (seal.node16 === node16Of(fullNodeId(host.name))) return;
    fail("ForeignSeal", `${host.name} keeps what ${seal.node16} has sealed`);
  }

  /** Entry that holds `id`, the last one that anybody committed. */
  #indexOf(id: string): number | null {
    return this.#world.truth.attempts(id).at(-1)?.index ?? null;
  }
}

/** As the process that runs has applied it. */
function stateOf({ applied }: CanaryHost): EncryptionState | null {
  return applied?.fsm.encryption ?? null;
}

function placeOf(path: string): Place {
  if (path.startsWith(`${WAL_DIR}/`)) return "log";
  if (path.startsWith(`${CHECKPOINT_DIR}/`)) return "checkpoint";
  return path.endsWith(".sqlite") ? "store" : "other";
}
