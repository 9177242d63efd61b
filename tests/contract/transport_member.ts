import { equal } from "node:assert/strict";
import { type Bytes, concatBytes, utf8 } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/base/sha256.ts";
import type { Clock } from "../../src/io/clock.ts";
import type { Net } from "../../src/io/net.ts";
import type { Random } from "../../src/io/random.ts";
import type { Message } from "../../src/raft/message.ts";
import type { RaftId } from "../../src/raft/types.ts";
import {
  openTransport,
  type TransportOptions,
} from "../../src/transport/open_transport.ts";
import {
  type PeerAddress,
  type PeerIdentity,
  type PeerProver,
  type PeerRefusal,
  type PeerStream,
  PROTOCOL_VERSION,
  type Transport,
  type TransportHost,
} from "../../src/transport/port.ts";
import type { SimClock } from "../sim/io/clock.ts";
import { SimLog } from "../sim/io/log.ts";

/** A world that transports run in. */
export interface TransportWorld {
  /** The network as the member `id` sees it, and its own address there. */
  net(id: RaftId): Net;
  hostname(id: RaftId): string;
  readonly clock: Clock;
  random(id: RaftId): Random;
  prover(token: string): PeerProver;
  readonly tls?: {
    readonly listen: Pick<TransportOptions["listen"], "tls">;
    readonly dial: NonNullable<TransportOptions["dialTls"]>;
  };
  /** Passes what time `work` needs. */
  until<T>(work: Promise<T>): Promise<T>;
}

export const TOKEN = "the peers' own token";
const filled = (length: number, byte: number) =>
  new Uint8Array(length).fill(byte);
export const CLUSTER = filled(16, 0xc1);

/** HMAC-SHA-256 without a promise of the platform, for simulations. */
export function simProver(token: string): PeerProver {
  const key = sha256(utf8(token));
  const pad = (byte: number) =>
    Uint8Array.from({ length: 64 }, (_, i) => (key[i] ?? 0) ^ byte);
  const mac = (message: Bytes) =>
    sha256(concatBytes(pad(0x5c), sha256(concatBytes(pad(0x36), message))));
  return {
    prove: async (message) => mac(message),
    verify: async (message, proof) => mac(message).join() === proof.join(),
  };
}

/** Passes virtual time until `work` settles, for 400 s at most. */
export function untilWithin<T>(clock: SimClock, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) =>
    void clock.after(400_000, () => reject(new Error("It took too long")))
  );
  return clock.until(Promise.race([work, late]));
}

export function identityOf(id: RaftId): PeerIdentity {
  return {
    clusterId: CLUSTER,
    name: `n${id}`,
    id,
    address: `127.0.0.${id}:4513`,
    diskId: filled(16, id),
    protocolVersion: PROTOCOL_VERSION,
    foundingDigest: filled(32, 7),
    epochs: [{ keyId: 5, epoch: id }],
  };
}

/** A node that writes down what its transport tells it. */
export class Member implements TransportHost {
  readonly id: RaftId;
  readonly world: TransportWorld;
  /** What the transport told, in order: "up 2", "message 2 17". */
  readonly told: string[] = [];
  readonly messages: Message[] = [];
  readonly packets: Bytes[] = [];
  readonly streams: PeerStream[] = [];
  readonly log = new SimLog();
  own: PeerIdentity;
  onTold: () => void = () => {};
  judge: (claim: PeerIdentity) => PeerRefusal | null = (claim) =>
    claim.clusterId?.join() === CLUSTER.join() ? null : "wrong-cluster";
  #transport: Transport | null = null;
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] =
    [];

  constructor(world: TransportWorld, id: RaftId) {
    this.world = world;
    this.id = id;
    this.own = identityOf(id);
  }

  get transport(): Transport {
    return this.#transport!;
  }

  get address(): PeerAddress {
    const { name, id } = this.own;
    return { id, name, ...this.transport.address };
  }

  async open(token = TOKEN, port = 0): Promise<void> {
    const { world, id } = this;
    this.#transport = await openTransport({
      net: world.net(id),
      clock: world.clock,
      random: world.random(id),
      log: {
        write: (level, event, fields) => {
          this.log.write(level, event, fields);
          this.#settle();
        },
      },
      listen: { hostname: world.hostname(id), port, ...world.tls?.listen },
      ...(world.tls === undefined ? {} : { dialTls: world.tls.dial }),
      prover: world.prover(token),
      host: this,
    });
  }

  identity(): PeerIdentity {
    return this.own;
  }

  vet(claim: PeerIdentity): PeerRefusal | null {
    return this.judge(claim);
  }

  onMessage(from: RaftId, message: Message): void {
    this.messages.push(message);
    this.#tell(`message ${from} ${message.commit}`);
  }

  onPacket(from: RaftId, packet: Bytes): void {
    this.packets.push(packet);
    this.#tell(`packet ${from} ${packet.length}`);
  }

  onStream(from: RaftId, stream: PeerStream): void {
    this.streams.push(stream);
    this.#tell(`stream ${from}`);
  }

  onLinkUp(peer: RaftId): void {
    this.#tell(`up ${peer}`);
  }

  onLinkDown(peer: RaftId): void {
    this.#tell(`down ${peer}`);
  }

  onRefused(peer: RaftId, refusal: PeerRefusal): void {
    this.#tell(`refused ${peer} ${refusal}`);
  }

  /** How often exactly this was told. */
  count(line: string): number {
    return this.told.filter((told) => told === line).length;
  }

  /** Ends once the line was told `times` times. */
  hears(line: string, times = 1): Promise<void> {
    return this.holds(() => this.count(line) >= times);
  }

  /** Ends once the event was written. */
  writes(event: string): Promise<void> {
    return this.holds(() => this.log.named(event).length > 0);
  }

  /** Ends once `holds` after something was told or written. */
  holds(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }

  #tell(line: string): void {
    this.told.push(line);
    this.onTold();
    this.#settle();
  }

  #settle(): void {
    const ready = this.#waiting.filter(({ holds }) => holds());
    this.#waiting = this.#waiting.filter((item) => !ready.includes(item));
    for (const { resolve } of ready) resolve();
  }
}

/** Runs `body` with `count` members that have each other as peers, and up. */
export async function withMembers(
  world: TransportWorld,
  count: number,
  body: (...members: Member[]) => Promise<void>,
): Promise<void> {
  await world.until((async () => {
    const members: Member[] = [];
    for (let id = 1; id <= count; id += 1) members.push(new Member(world, id));
    try {
      for (const member of members) await member.open();
      for (const member of members) introduce(member, members);
      for (const member of members) {
        for (const { id } of members) {
          if (id !== member.id) await member.hears(`up ${id}`);
        }
      }
      await body(...members);
    } finally {
      for (const member of members) await member.transport.close();
    }
  })());
}

/** Gives `member` all others as peers. */
export function introduce(member: Member, members: readonly Member[]): void {
  const others = members.filter(({ id }) => id !== member.id);
  member.transport.setPeers(others.map(({ address }) => address));
}

/** Passes `ms` of the world's time. */
export function pass(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** What `links()` says of one peer. */
export function linkOf(member: Member, peer: RaftId) {
  const link = member.transport.links().find(({ id }) => id === peer);
  equal(link?.name, `n${peer}`);
  return link!;
}
