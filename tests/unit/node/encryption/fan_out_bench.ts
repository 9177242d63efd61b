import assert from "node:assert/strict";
import type { Bytes } from "../../../../src/base/bytes.ts";
import { fullNodeId } from "../../../../src/base/identity.ts";
import { proofOf } from "../../../../src/crypto/capability.ts";
import { type Custody, openCustody } from "../../../../src/keys/custody.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { answerCapability } from "../../../../src/node/encryption/capability_answer.ts";
import {
  type CapabilityAnswerPacket,
  type CapabilityAskPacket,
  decodeAnswer,
  decodeAsk,
  encodeAnswer,
  encodeAsk,
} from "../../../../src/node/encryption/capability_packet.ts";
import {
  encodeStatement,
  type Statement,
} from "../../../../src/node/encryption/capability_statement.ts";
import {
  CapabilityFanOut,
  type FanOutRequest,
} from "../../../../src/node/encryption/fan_out.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
  CapabilityFinding,
} from "../../../../src/node/encryption_port.ts";
import type { RaftId } from "../../../../src/raft/types.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimDisk } from "../../../sim/io/disk.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { GatedKek } from "./gated_kek.ts";

export const CLUSTER = new Uint8Array(16).fill(1);
export const TERM = 7;
export const TIMEOUT_MS = 2_500;
const LATENCY_MS = 1;

/** What a member does with a question; `null`: says nothing. */
export type Behaviour = (
  ask: CapabilityAskPacket,
) => Promise<CapabilityAnswer | null>;

/** A node's keys as the product has them. */
export async function custodyOf(
  node: string,
  keks: readonly Kek[],
  { isEnabled = true, disk = new SimDisk({ seed: 1 }) } = {},
): Promise<Custody> {
  await disk.makeDir("data");
  await disk.syncDir(".");
  return await openCustody({
    ...{ disk, dir: "data/encryption", node, isEnabled, keks },
    random: new SimRandom(5),
    sidecar: null,
  });
}

/** A leader n1 that asks itself and two others, each with keys of its own. */
export class FanOutBench {
  readonly clock = new SimClock();
  readonly fanOut: CapabilityFanOut;
  readonly custodies: ReadonlyMap<RaftId, Custody>;
  readonly keks: ReadonlyMap<RaftId, GatedKek>;
  readonly behaviours = new Map<RaftId, Behaviour>();
  /** Members that there is no way to. */
  readonly cut = new Set<RaftId>();
  readonly asked: CapabilityAskPacket[] = [];

  private constructor(
    custodies: ReadonlyMap<RaftId, Custody>,
    keks: ReadonlyMap<RaftId, GatedKek>,
  ) {
    this.custodies = custodies;
    this.keks = keks;
    this.fanOut = new CapabilityFanOut({
      self: 1,
      clock: this.clock,
      random: new SimRandom(9),
      custody: this.custody(1),
      send: (to, packet) => this.#send(to, packet),
      answer: (ask) => this.honest(1, ask),
    });
  }

  static async of(kekBytes: readonly number[] = [7]): Promise<FanOutBench> {
    const custodies = new Map<RaftId, Custody>();
    const gates = new Map<RaftId, GatedKek>();
    for (const id of [1, 2, 3]) {
      const keks = await Promise.all(kekBytes.map((byte) => GatedKek.of(byte)));
      gates.set(id, keks[0]!);
      custodies.set(id, await custodyOf(`n${id}`, keks));
    }
    return new FanOutBench(custodies, gates);
  }

  custody(id: RaftId): Custody {
    return this.custodies.get(id)!;
  }

  kek(id: RaftId): GatedKek {
    return this.keks.get(id)!;
  }

  /** What a member that is what it should be answers. */
  honest(
    id: RaftId,
    ask: CapabilityAsk,
    custody = this.custody(id),
  ): Promise<CapabilityAnswer> {
    const name = `n${id}`;
    return answerCapability(ask, { name, clusterId: CLUSTER, custody });
  }

  /** A statement of the member's own making, with a proof that holds. */
  async told(
    id: RaftId,
    ask: CapabilityAsk,
    told: Partial<Statement>,
  ): Promise<CapabilityAnswer> {
    const name = `n${id}`;
    return await this.proven(
      id,
      ask,
      encodeStatement({
        protocolVersion: 3,
        build: "1.2.3",
        node: name,
        fullNodeId: fullNodeId(name),
        epochs: new Map(),
        sidecarIndex: null,
        isEnabled: true,
        isFilesystemFit: true,
        term: ask.term,
        clusterId: CLUSTER,
        ...told,
      }),
    );
  }

  async proven(
    id: RaftId,
    { challenges, clusterId, term, target }: CapabilityAsk,
    statement: Bytes,
  ): Promise<CapabilityAnswer> {
    const kind = "challenge" as const;
    const context = { kind, clusterId, term, target };
    const secret = await this.custody(id).openChallenge(challenges, context);
    assert.ok(secret !== null);
    return { statement, proof: await proofOf(secret, statement) };
  }

  start(
    given: Partial<FanOutRequest> = {},
  ): Promise<readonly CapabilityFinding[]> {
    return this.fanOut.ask({
      clusterId: CLUSTER,
      term: TERM,
      targets: [1, 2, 3].map((id) => ({ id, name: `n${id}` })),
      keks: [],
      timeoutMs: TIMEOUT_MS,
      ...given,
    });
  }

  async ask(
    given: Partial<FanOutRequest> = {},
  ): Promise<readonly CapabilityFinding[]> {
    return await this.clock.until(this.start(given));
  }

  /** Codes in the order of members, "" for proven ones. */
  async codes(given: Partial<FanOutRequest> = {}): Promise<string> {
    return (await this.ask(given)).map(({ code }) => code).join();
  }

  /** Lets `from` send an answer; it arrives with time. */
  post(from: RaftId, packet: CapabilityAnswerPacket): void {
    const arrived = decodeAnswer(encodeAnswer(packet));
    assert.ok(arrived !== null);
    this.clock.after(LATENCY_MS, () => this.fanOut.onAnswer(from, arrived));
  }

  #send(to: RaftId, packet: CapabilityAskPacket): boolean {
    if (this.cut.has(to)) return false;
    const ask = decodeAsk(encodeAsk(packet));
    assert.ok(ask !== null);
    this.asked.push(ask);
    this.clock.after(LATENCY_MS, () => void this.#answer(to, ask));
    return true;
  }

  async #answer(to: RaftId, ask: CapabilityAskPacket): Promise<void> {
    const behave = this.behaviours.get(to) ??
      ((asked) => this.honest(to, asked));
    const answer = await behave(ask);
    if (answer === null) return;
    const { request } = ask;
    this.post(to, { kind: "capability-answer", request, ...answer });
  }
}
