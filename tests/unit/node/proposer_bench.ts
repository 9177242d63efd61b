import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../../src/base/bytes.ts";
import { type KeyId, NO_KEY } from "../../../src/base/data_key.ts";
import { fullNodeId } from "../../../src/base/identity.ts";
import { encodeEncryption } from "../../../src/fsm/encryption_payload.ts";
import {
  decodePayload,
  encodeAnnouncement,
  encodeBatch,
  type Payload,
} from "../../../src/fsm/payload.ts";
import { decodeProposal } from "../../../src/fsm/proposal.ts";
import { type AtomicWrite, ENCODING_BYTES } from "../../../src/fsm/types.ts";
import {
  decodePacket,
  type Forward,
  type Packet,
  type Verdict,
} from "../../../src/node/packet.ts";
import { Proposals } from "../../../src/node/proposals.ts";
import { Proposer } from "../../../src/node/proposer.ts";
import { EntryLine } from "../../../src/node/raft_sealing/entry_line.ts";
import { ProposalGate } from "../../../src/node/raft_sealing/gate.ts";
import type { RaftId } from "../../../src/raft/types.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { CoreGroup } from "../raft/core_group.ts";
import { memberOf } from "../store/store_model.ts";

export const BOOT = 77;
export const ANNOUNCEMENT = encodeAnnouncement({
  ...memberOf(2, "n2:1"),
  diskId: new Uint8Array(16).fill(1),
});

export function registrationOf(name: string): Uint8Array {
  return encodeEncryption({
    kind: "registration",
    fullNodeId: fullNodeId(name),
    claims: [{ keyId: 1, epoch: 1 }],
  });
}
export function set(key: string): AtomicWrite {
  const value = { data: utf8("v"), encoding: ENCODING_BYTES } as const;
  const change = { kind: "set", key: utf8(key), value, expireAtMs: 0 } as const;
  return { database: "", checks: [], changes: [change] };
}

export interface Proposed {
  readonly id: number;
  readonly payload: Payload;
}

/** The proposer of one of three members; 1 leads after `elect`. */
export class Bench {
  readonly group = CoreGroup.of(3);
  readonly clock = new SimClock();
  readonly proposals = new Proposals(100);
  readonly packets: { to: RaftId; packet: Packet }[] = [];
  readonly proposer: Proposer;
  readonly gate = new ProposalGate();
  readonly id: RaftId;
  /** Set: entries are sealed with it, and `seals` are let go by hand. */
  keyId: KeyId = NO_KEY;
  readonly seals: {
    readonly keyId: KeyId;
    readonly payload: Bytes;
    readonly end: (envelope: Bytes) => void;
  }[] = [];
  wakes = 0;
  /** Term of the last applied entry, unless it is the core's. */
  appliedTerm: number | null = null;
  init: Uint8Array | null = null;
  announcement: Uint8Array | null = null;
  registration: Uint8Array | null = null;
  takesWrites = true;

  constructor(id: RaftId) {
    this.id = id;
    const core = this.group.core(id);
    const line = new EntryLine({
      ...{ core, gate: this.gate },
      sealer: {
        keyId: () => this.keyId,
        seal: (keyId, payload) => {
          const { promise, resolve } = Promise.withResolvers<Bytes>();
          this.seals.push({ keyId, payload, end: resolve });
          return promise;
        },
      },
      appliedTerm: () =>
        this.appliedTerm ?? this.group.at(id).applied.at(-1)?.term ?? 0,
      wake: () => this.wakes += 1,
      failed: (error) => assert.fail(`${error}`),
    });
    this.proposer = new Proposer({
      ...{ core, line },
      proposals: this.proposals,
      clock: this.clock,
      boot: BOOT,
      sendPacket: (to, bytes) => {
        this.packets.push({ to, packet: decodePacket(bytes)! });
        return true;
      },
      nameOf: (id) => id > 3 ? "" : `n${id}`,
      clusterInit: () => this.init,
      announcement: () => this.announcement,
      registration: () => this.registration,
      takesWrites: () => this.takesWrites,
    });
  }

  elect(): void {
    this.group.campaign(1);
    this.group.ticks(1);
    this.proposer.onRole(this.id === 1);
    this.group.settle();
  }

  get term(): number {
    return this.group.core(this.id).state.term;
  }

  /** Adds writes of these keys and lets the proposer run after each. */
  write(keys: string): void {
    for (const key of keys) {
      this.proposals.add(set(key), 0).catch(() => {});
      this.proposer.run();
    }
  }

  /** What the leader's log holds beyond empty entries. */
  log(): readonly Proposed[] {
    const { storage } = this.group.at(1);
    this.group.settle();
    const entries = storage.entries(3, storage.lastIndex() + 1, Infinity);
    assert.ok(typeof entries !== "string");
    return entries.filter(({ data }) => data.length > 0).map(({ data }) => {
      const { proposalId, payload } = decodeProposal(data);
      return { id: proposalId, payload: decodePayload(payload) };
    });
  }

  forwards(): readonly Forward[] {
    return this.packets.splice(0).map(({ to, packet }) => {
      assert.equal(to, 1);
      assert.ok(packet.kind === "forward");
      return packet;
    });
  }

  verdicts(): readonly string[] {
    return this.packets.splice(0).map(({ packet }) => {
      assert.ok(packet.kind === "verdict");
      return `${packet.sequence} ${packet.verdict}`;
    });
  }

  answer(sequence: number, verdict: Verdict): void {
    this.proposer.onPacket(1, {
      kind: "verdict",
      boot: BOOT,
      term: this.term,
      sequence,
      verdict,
    });
  }

  ask(given: Partial<Forward> = {}, from = 2): Verdict | null {
    this.proposer.onPacket(from, {
      kind: "forward",
      boot: 5,
      term: this.term,
      sequence: 1,
      proposalId: 900,
      payload: encodeBatch([set("x")], 0),
      ...given,
    });
    const sent = this.packets.splice(0);
    assert.ok(sent.length <= 1);
    if (sent[0] === undefined) return null;
    assert.equal(sent[0].to, from);
    assert.ok(sent[0].packet.kind === "verdict");
    return sent[0].packet.verdict;
  }
}
