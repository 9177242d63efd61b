import {
  type Bytes,
  concatBytes,
  equalBytes,
} from "../../../../src/base/bytes.ts";
import { NodeError } from "../../../../src/base/error.ts";
import { sha256 } from "../../../../src/base/sha256.ts";
import { ConnectError } from "../../../../src/io/errors.ts";
import { CheckpointReceiver } from "../../../../src/node/checkpoint/receiver.ts";
import { CheckpointSender } from "../../../../src/node/checkpoint/sender.ts";
import type {
  InstallOutcome,
  Prepared,
  SendOutcome,
} from "../../../../src/node/checkpoint/port.ts";
import type { ConfState, RaftId } from "../../../../src/raft/types.ts";
import type { PeerStream } from "../../../../src/transport/port.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { type CrashKind, SimDisk } from "../../../sim/io/disk.ts";
import { SimLog } from "../../../sim/io/log.ts";
import { StreamFaults, StreamPair } from "../../../sim/io/peer_stream.ts";

export const LEADER: RaftId = 1;
export const MEMBER: RaftId = 2;
/** What the throttle allows a second, so the length of a piece. */
export const PIECE = 2048;
export const DIR = "/data/checkpoints";
const HEAD = 32;

class DamagedError extends NodeError {
  override readonly code = "STORE_CHECKPOINT_DAMAGED";
  override readonly remedy = "Fetch it again";
}

export interface WorldOptions {
  /** Length of the checkpoint without its head. */
  readonly bodyBytes?: number;
  readonly bytesPerSecond?: number;
  readonly seed?: number;
}

/** A leader, a member and what lies between them. */
export class TransferWorld {
  readonly clock = new SimClock();
  readonly log = new SimLog();
  readonly faults = new StreamFaults();
  readonly leaderDisk: SimDisk;
  readonly memberDisk: SimDisk;
  readonly options: Required<WorldOptions>;
  /** Whom the member follows. */
  leads: RaftId = LEADER;
  memberCommit = 0;
  match = 0;
  firstIndex = 1;
  floor = 0;
  lastIndex = 100;
  /** Index that the next checkpoint is of. */
  durableIndex = 100;
  confState: ConfState = conf(1, 2, 3);
  freeBytes: number | null = null;
  /** What the installer finds more than was offered. */
  indexOffset = 0;
  made = 0;
  prepared = 0;
  discarded = 0;
  /** Bytes of the bodies that were installed. */
  readonly installed: Bytes[] = [];
  /** Bodies by path, as they were made. */
  readonly bodies: Bytes[] = [];
  readonly fatal: unknown[] = [];
  onPrepared: (prepared: Prepared) => Promise<InstallOutcome> = (prepared) => {
    this.memberCommit = prepared.metadata.index;
    return Promise.resolve("installed");
  };
  beforePrepare: () => Promise<void> = () => Promise.resolve();
  beforeMake: () => Promise<void> = () => Promise.resolve();
  openStream: (peer: RaftId) => Promise<PeerStream> = (peer) =>
    Promise.resolve().then(() => this.connect(peer));
  /** Told of every stream that is opened. */
  readonly pairs: StreamPair[] = [];
  sender!: CheckpointSender;
  receiver: CheckpointReceiver | null = null;
  #received: Bytes = new Uint8Array(0);

  private constructor(options: WorldOptions) {
    const { bodyBytes = 9 * PIECE + 700, bytesPerSecond = PIECE, seed = 1 } =
      options;
    this.options = { bodyBytes, bytesPerSecond, seed };
    this.leaderDisk = new SimDisk({ seed });
    this.memberDisk = new SimDisk({ seed: seed + 1 });
  }

  static async create(options: WorldOptions = {}): Promise<TransferWorld> {
    const world = new TransferWorld(options);
    for (const disk of [world.leaderDisk, world.memberDisk]) {
      await disk.makeDir(DIR);
      await disk.syncDir("/");
      await disk.syncDir("/data");
    }
    await world.openSender();
    await world.openReceiver();
    return world;
  }

  get total(): number {
    return this.options.bodyBytes + HEAD;
  }

  async openSender(): Promise<void> {
    this.sender = await CheckpointSender.open({
      disk: this.leaderDisk,
      dir: DIR,
      clock: this.clock,
      log: this.log,
      maker: { make: (path) => this.#make(path) },
      openStream: (peer) => this.openStream(peer),
      firstIndex: () => this.firstIndex,
      floor: () => this.floor,
      lastIndex: () => this.lastIndex,
      matchOf: () => this.match,
      bytesPerSecond: this.options.bytesPerSecond,
      onFatal: (error) => this.fatal.push(error),
    });
  }

  async openReceiver(): Promise<void> {
    this.receiver = null;
    this.receiver = await CheckpointReceiver.open({
      disk: this.memberDisk,
      dir: DIR,
      clock: this.clock,
      log: this.log,
      installer: { prepare: (path) => this.#prepare(path) },
      isLeader: (peer) => peer === this.leads,
      commit: () => this.memberCommit,
      freeBytes: () => Promise.resolve(this.freeBytes),
      onPrepared: async (prepared) => {
        const received = this.#received;
        const outcome = await this.onPrepared(prepared);
        if (outcome === "installed") this.installed.push(received);
        return outcome;
      },
      onFatal: (error) => this.fatal.push(error),
      noteBytes: 2 * PIECE,
    });
  }

  /** A stream as `from` opens it to the member. */
  connect(to: RaftId, from = LEADER): PeerStream {
    if (this.receiver === null) throw new ConnectError("member");
    const pair = new StreamPair(this.faults, from, to);
    this.pairs.push(pair);
    void this.receiver.onStream(from, pair.far);
    return pair.near;
  }

  send(wanted = 100): Promise<SendOutcome> {
    return this.clock.until(this.sender.send(MEMBER, wanted));
  }

  /** The member's machine lost power and comes back. */
  async restartMember(kind: CrashKind): Promise<void> {
    this.receiver = null;
    for (const pair of this.pairs) pair.break();
    this.memberDisk.restart(kind);
    await this.openReceiver();
  }

  async restartLeader(kind: CrashKind): Promise<void> {
    for (const pair of this.pairs) pair.break();
    this.leaderDisk.restart(kind);
    await this.openSender();
  }

  /** Closes both; nothing may be left running. */
  async close(): Promise<void> {
    const closing = Promise.all([this.sender.close(), this.receiver?.close()]);
    await this.clock.until(closing);
  }

  /** Events so far, with the side: `in:checkpoint_started`. */
  events(): string[] {
    return this.log.events.map(({ event, fields }) =>
      `${fields["direction"] ?? "-"}:${event.replace("checkpoint_", "")}`
    );
  }

  async #make(path: string) {
    await this.beforeMake();
    this.made += 1;
    const index = this.durableIndex;
    const body = new Uint8Array(this.options.bodyBytes);
    for (let i = 0; i < body.length; i += 1) {
      body[i] = (i * 7 + (i >> 8) + this.made * 13) & 0xff;
    }
    new DataView(body.buffer).setUint32(0, index);
    const digest = sha256(body);
    const file = await this.leaderDisk.open(path, "create");
    await file.writeAt(0, concatBytes(digest, body));
    await file.sync();
    await file.close();
    this.bodies.push(body);
    const bytes = HEAD + body.length;
    return { path, bytes, index, term: 3, confState: this.confState, digest };
  }

  async #prepare(path: string): Promise<Prepared> {
    await this.beforePrepare();
    this.prepared += 1;
    const file = await this.memberDisk.open(path, "existing");
    const all = await file.readAt(0, await file.size());
    await file.close();
    const body = all.subarray(HEAD);
    if (!equalBytes(sha256(body), all.subarray(0, HEAD))) {
      throw new DamagedError("damaged");
    }
    this.#received = body.slice();
    const index = new DataView(body.buffer, body.byteOffset).getUint32(0);
    return {
      metadata: {
        index: index + this.indexOffset,
        term: 3,
        confState: this.confState,
      },
      discard: async () => void (this.discarded += 1),
    };
  }
}

export function conf(...voters: RaftId[]): ConfState {
  return {
    voters,
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
}
