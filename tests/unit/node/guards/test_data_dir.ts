import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../../src/base/bytes.ts";
import {
  ENCODING_BYTES,
  type EncryptionState,
} from "../../../../src/fsm/types.ts";
import type { Clock } from "../../../../src/io/clock.ts";
import { denoClock } from "../../../../src/io/deno/clock.ts";
import { openDenoDisk } from "../../../../src/io/deno/disk.ts";
import { openDenoKv } from "../../../../src/io/deno/kv.ts";
import { denoRandom } from "../../../../src/io/deno/random.ts";
import { type Custody, openCustody } from "../../../../src/keys/custody.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { readSidecar } from "../../../../src/keys/sidecar_file.ts";
import { dataDirPaths } from "../../../../src/node/data_dir.ts";
import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import type { KeySettings } from "../../../../src/node/guards/open_keys.ts";
import type { Node } from "../../../../src/node/node.ts";
import {
  type NodePorts,
  openNode,
  type OpenNodeOptions,
} from "../../../../src/node/open_node.ts";
import { findStore } from "../../../../src/node/store_place.ts";
import { encryptionRowBody } from "../../../../src/store/encryption_row.ts";
import type { StoreState } from "../../../../src/store/meta.ts";
import { Store } from "../../../../src/store/store.ts";
import { sha256 } from "../../../../src/base/sha256.ts";
import { SimLog } from "../../../sim/io/log.ts";
import { TestKek } from "../../keys/test_kek.ts";

/** Writes that follow a change: entries for cutovers to stand at. */
const ENTRIES = 4;
/** The node waits so long only for what may fail to come, such as a KEK. */
const LIMIT_MS_MIN = 500;
/** Far longer than a disk stands still. */
const PATIENCE_MS = 60_000;

/** How a start is told about encryption. */
export interface StartKeys {
  readonly isEnabled?: boolean;
  readonly keks?: readonly Kek[];
}

export function keysOf({ isEnabled = false, keks = [] }: StartKeys) {
  const keys: KeySettings = {
    isEnabled,
    kekCount: keks.length,
    openKeks: () => Promise.resolve(keks),
  };
  return keys;
}

/** A real data dir on a real disk, with a real store. */
export class TestDataDir implements AsyncDisposable {
  readonly disk = openDenoDisk();
  readonly path: string;
  readonly name: string;
  readonly kek: TestKek;

  private constructor(path: string, name: string, kek: TestKek) {
    this.path = path;
    this.name = name;
    this.kek = kek;
  }

  /** A node that founded its cluster, took some writes, and was stopped. */
  static async founded(name = "n1"): Promise<TestDataDir> {
    const dir = await TestDataDir.empty(name);
    const node = await dir.open({});
    node.start();
    await node.ready();
    await writeSome(node);
    await node.stop();
    return dir;
  }

  static async empty(name = "n1"): Promise<TestDataDir> {
    const path = await Deno.makeTempDir({ prefix: "sealkv-guards-" });
    return new TestDataDir(path, name, await TestKek.of(1));
  }

  /** As `founded`, with keys, flag and KEK from here on. */
  static async bootstrapped(name = "n1"): Promise<TestDataDir> {
    const dir = await TestDataDir.founded(name);
    await dir.bootstrap();
    return dir;
  }

  get paths() {
    return dataDirPaths(this.path);
  }

  get sidecar(): string {
    return `${this.paths.encryption}/keys.json`;
  }

  /** Flag and KEK as they are to be. */
  get keys(): StartKeys {
    return { isEnabled: true, keks: [this.kek] };
  }

  get ports(): NodePorts {
    return {
      ...{ disk: this.disk, openKv: openDenoKv, clock: patientClock() },
      ...{ random: denoRandom(), log: new SimLog() },
    };
  }

  async open(
    keys: StartKeys,
    options: Partial<OpenNodeOptions> = {},
    ports: Partial<NodePorts> = {},
  ): Promise<Node> {
    return await openNode(
      { ...this.ports, keys: keysOf(keys), ...ports },
      {
        ...{ name: this.name, clusterName: "test", dataDir: this.path },
        ...{ heartbeatMs: 10, electionMs: 50, segmentBytes: 64 * 1024 },
        onFatal: (error) => {
          throw error;
        },
        ...options,
      },
    );
  }

  /** Starts it, lets it serve, and stops it. */
  async run(keys: StartKeys = this.keys): Promise<void> {
    const node = await this.open(keys);
    node.start();
    await node.ready();
    await node.stop();
  }

  /** Lets `act` work on the store of the stopped node. */
  async withStore<Result>(
    act: (store: Store) => Promise<Result>,
  ): Promise<Result> {
    const { path } = await findStore(this.disk, this.paths);
    const log = new SimLog();
    const store = await Store.open({ kv: openDenoKv(path), log });
    try {
      return await act(store);
    } finally {
      await store.close();
    }
  }

  async withCustody<Result>(
    act: (custody: Custody) => Promise<Result>,
  ): Promise<Result> {
    const { disk, name: node } = this;
    const dir = this.paths.encryption;
    const custody = await openCustody({
      ...{ disk, dir, node, random: denoRandom(), isEnabled: true },
      ...{ keks: [this.kek], sidecar: await readSidecar(disk, dir) },
    });
    return await act(custody);
  }

  /** Has the node draw its keys, register itself, and take some writes. */
  async bootstrap(): Promise<void> {
    await this.change({ kind: "bootstrap" });
  }

  /** Has the node carry out a change, register itself, and take some writes. */
  async change(request: EncryptionRequest): Promise<void> {
    const node = await this.open(this.keys);
    node.start();
    await node.ready();
    const terms = { dryRun: false, planHash: "", confirm: "", accept: [] };
    await node.encryption.changeEncryption(request, terms);
    const isKnown = async () => {
      const { keys } = await node.encryption.encryptionStatus();
      return keys.every(({ isActive, writers }) =>
        !isActive || writers.length > 0
      );
    };
    while (!await isKnown()) await new Promise((go) => setTimeout(go, 10));
    await writeSome(node);
    await node.stop();
  }

  /** Only the sidecar's half of a change. */
  async absorb(next: EncryptionState): Promise<void> {
    const clusterId = await this.clusterId();
    await this.withCustody((custody) =>
      custody.absorb(clusterId, next, () => 0)
    );
  }

  /** Only the store's half of a change. */
  async commit(
    encryption: EncryptionState,
    change: (state: StoreState) => StoreState = (state) => state,
  ): Promise<void> {
    const clusterId = await this.clusterId();
    const encryptionMac = await this.withCustody((custody) =>
      custody.stateMac(clusterId, encryptionRowBody(encryption))
    );
    await this.withStore(async (store) => {
      const { state } = store;
      const fsm = { ...state.fsm, encryption };
      await store.commit({
        state: change({ ...state, fsm, encryptionMac }),
        mutations: [],
      });
    });
  }

  async encryption(): Promise<EncryptionState> {
    return await this.withStore(async ({ state }) => state.fsm.encryption);
  }

  async epochs(): Promise<ReadonlyMap<number, number>> {
    const found = await readSidecar(this.disk, this.paths.encryption);
    return found?.epochs ?? new Map();
  }

  async clusterId() {
    return await this.withStore(async ({ state }) => {
      assert.ok(state.fsm.clusterId !== null);
      return state.fsm.clusterId;
    });
  }

  /** Hashes of all files but the lock and SQLite's, by path. */
  async content(dir = this.path): Promise<Record<string, string>> {
    const content: Record<string, string> = {};
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = `${dir}/${name}`;
      if (isDirectory) {
        content[path] = "directory";
        Object.assign(content, await this.content(path));
      } else if (name !== "LOCK" && !name.startsWith("store")) {
        content[path] = toHex(sha256(await Deno.readFile(path)));
      }
    }
    return content;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disk.close();
    await Deno.remove(this.path, { recursive: true });
  }
}

/**
 * Of this machine, with long limits: those of a node with so short elections
 * are too short for a real disk that stands still for a moment.
 */
function patientClock(): Clock {
  const clock = denoClock();
  const patient = (delayMs: number) =>
    delayMs < LIMIT_MS_MIN ? delayMs : Math.max(delayMs, PATIENCE_MS);
  return {
    ...clock,
    after: (delayMs, task) => clock.after(patient(delayMs), task),
  };
}

async function writeSome(node: Node): Promise<void> {
  for (let count = 0; count < ENTRIES; count += 1) {
    await node.write({
      database: "",
      checks: [],
      changes: [{
        kind: "set",
        key: utf8(`\x02k${count}\x00`),
        value: { data: utf8("value"), encoding: ENCODING_BYTES },
        expireAtMs: 0,
      }],
    });
  }
}
