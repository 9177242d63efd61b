import assert from "node:assert/strict";
import { present } from "../../../src/base/assert.ts";
import { utf8, viewOf } from "../../../src/base/bytes.ts";
import {
  type AtomicWrite,
  ENCODING_LE64,
  type WriteReply,
} from "../../../src/fsm/types.ts";
import type { KeyCustody } from "../../../src/keys/port.ts";
import type { SessionRows, Sessions } from "../../../src/keys/sessions.ts";
import type { KeySettings } from "../../../src/node/guards/open_keys.ts";
import type { Node } from "../../../src/node/node.ts";
import {
  type NodePorts,
  openNode,
  type OpenNodeOptions,
} from "../../../src/node/open_node.ts";
import type { ReadRange } from "../../../src/node/port.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { SimCrash, SimDisk } from "../../sim/io/disk.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { SimLog } from "../../sim/io/log.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { FakeNetwork } from "./fake_network.ts";

export const HEARTBEAT_MS = 50;
export const ELECTION_MS = 500;
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
const NO_BYTES = new Uint8Array(0);
const ALL: ReadRange = {
  start: utf8("a"),
  end: utf8("l"),
  limit: 1_000,
  reverse: false,
};

/** Keys of all writes that took place, and how often writes did. */
export interface Held {
  readonly keys: string;
  readonly count: number;
}

interface Place {
  readonly name: string;
  readonly disk: SimDisk;
  /** By the path of the store. */
  readonly kvDisks: Map<string, SimKvDisk>;
  readonly log: SimLog;
  readonly random: SimRandom;
  node: Node;
  fatal: Error | null;
}

export interface TestOptions extends OpenNodeOptions {
  /** Called at each start of a member; no encryption unless given. */
  readonly openCustody: (name: string) => KeyCustody;
  readonly openSessions: (name: string, rows: SessionRows) => Sessions;
  /** Keys as the product has them, behind its guards. */
  readonly keys: (name: string) => KeySettings;
}

/** Whole nodes on simulated disks and time, linked in memory. */
export class TestCluster {
  readonly clock = new SimClock();
  readonly network = new FakeNetwork(this.clock);
  readonly #places = new Map<string, Place>();
  readonly #initial: readonly { name: string; address: string }[];
  readonly #options: Partial<OpenNodeOptions>;
  readonly #seed: number;
  readonly #openCustody: ((name: string) => KeyCustody) | null;
  readonly #openSessions: TestOptions["openSessions"] | null;
  readonly #keys: TestOptions["keys"] | null;

  private constructor(
    names: readonly string[],
    options: Partial<TestOptions>,
    seed: number,
  ) {
    const { openCustody = null, openSessions, keys, ...others } = options;
    this.#openCustody = openCustody;
    this.#openSessions = openSessions ?? null;
    this.#keys = keys ?? null;
    this.#seed = seed;
    this.#initial = names.map((name) => ({ name, address: `${name}:1` }));
    this.#options = others;
  }

  /** Starts members of these names; resolves when all of them serve. */
  static async start(
    names: readonly string[],
    options: Partial<TestOptions> = {},
    seed = 1,
  ): Promise<TestCluster> {
    const cluster = new TestCluster(names, options, seed);
    for (const name of names) await cluster.open(name);
    await cluster.ready();
    return cluster;
  }

  /** Opens and starts `name`, on what it stored if it was there before. */
  async open(
    name: string,
    options: Partial<OpenNodeOptions> = {},
  ): Promise<Node> {
    const known = this.#places.get(name);
    const seed = this.#seed * 16 + this.#places.size;
    const place = known ?? {
      name,
      disk: new SimDisk({ seed }),
      kvDisks: new Map<string, SimKvDisk>(),
      log: new SimLog(this.clock),
      random: new SimRandom(seed),
      fatal: null,
    };
    const node = await openNode({
      disk: place.disk,
      openKv: (path) => openKv(place, path),
      clock: this.clock,
      random: place.random,
      log: place.log,
      ...this.#keysPort(name),
      openTransport: async (host) => this.network.open(host, name),
    }, {
      name,
      clusterName: "test",
      dataDir: "/data",
      heartbeatMs: HEARTBEAT_MS,
      electionMs: ELECTION_MS,
      segmentBytes: 64 * 1024,
      initialCluster: this.#initial,
      peerAddress: `${name}:1`,
      onFatal: (error) => this.place(name).fatal = error,
      ...this.#options,
      ...options,
    });
    this.#places.set(name, { ...place, node, fatal: null });
    node.start();
    return node;
  }

  #keysPort(name: string): Pick<NodePorts, "openKeys" | "keys"> {
    if (this.#keys !== null) return { keys: this.#keys(name) };
    const openCustody = this.#openCustody;
    const openSessions = this.#openSessions ?? null;
    if (openCustody === null) return {};
    return {
      openKeys: () =>
        Promise.resolve({
          custody: openCustody(name),
          openSessions: openSessions === null
            ? null
            : (rows) => openSessions(name, rows),
        }),
    };
  }

  place(name: string): Place {
    const place = this.#places.get(name);
    assert.ok(place !== undefined, `${name} is there`);
    return place;
  }

  node(name: string): Node {
    return this.place(name).node;
  }

  names(): readonly string[] {
    return [...this.#places.keys()];
  }

  async ready(names = this.names()): Promise<void> {
    const all = Promise.all(names.map((name) => this.node(name).ready()));
    await this.clock.until(all);
  }

  /** Name of the leader that `names` agree on, once they do. */
  async leader(names = this.names()): Promise<string> {
    for (let turn = 0; turn < 200; turn += 1) {
      const [first, ...others] = names.map((name) =>
        this.node(name).status().leader
      );
      const isAgreed = others.every((other) => other === first);
      if (first !== undefined && names.includes(first) && isAgreed) {
        return first;
      }
      await this.clock.run(HEARTBEAT_MS);
    }
    assert.fail("no leader");
  }

  /** Sets `key` and counts it, at `name`; the reply comes with time. */
  write(name: string, key: string): Promise<WriteReply> {
    return this.node(name).write(counted(key));
  }

  /** Keys and the count of their writes, as a strong read at `name` has them. */
  read(name: string): Promise<Held> {
    return this.clock.until(this.startRead(name));
  }

  /** As `read`; the answer comes with time. */
  async startRead(name: string): Promise<Held> {
    const answer = await this.node(name).read({
      database: "",
      ranges: [ALL],
      strong: true,
    });
    let keys = "";
    let count = 0;
    for (const { key, value } of answer[0]!) {
      const text = new TextDecoder().decode(key);
      if (text !== "count") keys += text.slice(1);
      else count = Number(viewOf(value.data).getBigUint64(0, true));
    }
    return { keys, count };
  }

  /** What `name`, stopped before, has on its disks. */
  copy(name: string): Place {
    const place = this.place(name);
    const kvDisks = [...place.kvDisks].map(([path, disk]) =>
      [path, disk.copy()] as const
    );
    return {
      ...place,
      disk: place.disk.clone(1),
      kvDisks: new Map(kvDisks),
    };
  }

  /** Gives a member what its disks had. */
  putBack(image: Place): void {
    this.#places.set(image.name, image);
  }

  /** Takes the disks of `name`, stopped before, away. */
  discard(name: string): void {
    this.#places.delete(name);
  }

  async stop(name: string): Promise<void> {
    await this.clock.until(this.node(name).stop());
  }

  /** Stops all that run; nothing of it may have failed. */
  async close(): Promise<void> {
    const all = this.names().map((name) => this.node(name).stop());
    await this.clock.until(Promise.all(all));
    for (const name of this.names()) {
      assert.equal(this.place(name).fatal, null, name);
    }
  }
}

/**
 * The rows of a store; its file on disk stands for them. A commit is one of the
 * operations that a machine may die in, and none gets through after that.
 */
async function openKv(
  { disk, kvDisks }: Pick<Place, "disk" | "kvDisks">,
  path: string,
): Promise<SimKv> {
  if (!await disk.exists(path)) {
    await (await disk.open(path, "create")).close();
    kvDisks.set(path, new SimKvDisk());
  }
  const { life } = disk;
  const pause = async (operation: string) => {
    if (operation !== "commit") return;
    if (disk.life !== life) throw new SimCrash("the machine died");
    disk.count(`commit ${path}`);
  };
  const rows = present(kvDisks.get(path), "a store's rows");
  return new SimKv({ disk: rows, pause });
}

/** Taking place twice shows in the count. */
function counted(key: string): AtomicWrite {
  const value = { data: ONE, encoding: ENCODING_LE64 } as const;
  return {
    database: "",
    checks: [],
    changes: [
      { kind: "set", key: utf8(`k${key}`), value, expireAtMs: 0 },
      {
        kind: "sum",
        key: utf8("count"),
        value,
        min: NO_BYTES,
        max: NO_BYTES,
        clamp: false,
      },
    ],
  };
}
