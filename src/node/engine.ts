import { phaseOf } from "../fsm/encryption.ts";
import type { Sessions } from "../keys/sessions.ts";
import type { SnapshotMetadata } from "../raft/types.ts";
import { type AppliedGroup, Applier } from "./applier.ts";
import { checkpointsHost } from "./checkpoints_host.ts";
import { Compaction } from "./compaction.ts";
import { Driver, type Leadership } from "./driver.ts";
import { ChangeLock } from "./encryption/change_lock.ts";
import { EncryptionOperations } from "./encryption/operations.ts";
import { MemberPart } from "./encryption/member_part.ts";
import { NodeEncryption } from "./encryption/node_encryption.ts";
import type { EncryptionOutcome } from "./encryption/outcomes.ts";
import type { EngineHost, NodeParts } from "./engine_parts.ts";
import { Expiry } from "./expiry.ts";
import { ExtraPackets } from "./extra_packets.ts";
import type { SendPacket } from "./forwarding.ts";
import { Lease } from "./lease.ts";
import { LeadershipCount, type RaftCounters } from "./leadership_count.ts";
import { REQUEST_MS_MAX, STATE_MS } from "./limits.ts";
import { MemberChanges } from "./member_changes.ts";
import type { Addresses, Beginnings, NodeOptions } from "./node_options.ts";
import { Peers } from "./peers.ts";
import { peersHost } from "./peers_host.ts";
import { Proposals } from "./proposals.ts";
import { Proposer } from "./proposer.ts";
import { RaftSealing } from "./raft_sealing/raft_sealing.ts";
import { Reads } from "./reads.ts";
import { removalError } from "./shut_out.ts";
import { announcementOf, clusterInitOf, type Self } from "./self_entries.ts";
import { TailJudge } from "./tail_judge.ts";

const NOWHERE: Addresses = { client: "", admin: "" };

/**
 * The moving parts of a member and what they tell each other: core, log,
 * applier, store, links. Its node is what clients and operators see of it.
 */
export class Engine {
  readonly proposals: Proposals;
  readonly reads = new Reads();
  readonly lease: Lease | null;
  readonly peers: Peers;
  readonly changes: MemberChanges;
  readonly encryption: NodeEncryption;
  readonly operations: EncryptionOperations;
  readonly memberPart: MemberPart;
  readonly sessions: Sessions | null;
  readonly extraPackets: ExtraPackets;
  readonly sealing: RaftSealing;
  readonly #lock = new ChangeLock(() => this.sealing.cutover.isInDoubt);
  readonly driver: Driver;
  addresses: Addresses;
  readonly #leaderships: LeadershipCount;
  readonly #tail: TailJudge;
  readonly #parts: NodeParts;
  readonly #options: NodeOptions;
  readonly #beginnings: Beginnings;
  readonly #host: EngineHost;
  readonly #applier: Applier;
  readonly #proposer: Proposer;
  readonly #expiry: Expiry;
  readonly #compaction: Compaction;
  readonly #sendPacket: SendPacket = (to, packet) =>
    this.peers.transport?.sendPacket(to, packet) ?? false;
  readonly #failed = (error: unknown) => this.#host.failed(error);
  #toldMs = -Infinity;

  constructor(
    parts: NodeParts,
    options: NodeOptions,
    beginnings: Beginnings,
    host: EngineHost,
  ) {
    const { core, wal, random } = parts;
    this.#parts = parts;
    this.#options = options;
    this.#beginnings = beginnings;
    this.#host = host;
    this.sessions = parts.sessions;
    this.addresses = options.addresses ?? NOWHERE;
    // 2^52 ids, drawn per start: an entry of others never answers a caller here.
    this.proposals = new Proposals(random.below(2 ** 31) * 2 ** 21 + 1);
    this.lease = options.readLease === true
      ? new Lease(core.state.options.electionTicks, options.heartbeatMs)
      : null;
    this.#leaderships = new LeadershipCount(parts.log, parts.clock);
    this.#compaction = new Compaction(wal, options, parts.checkpoints);
    this.encryption = this.#makeEncryption();
    this.sealing = this.#makeSealing();
    this.#applier = this.#makeApplier();
    this.peers = this.#makePeers();
    this.extraPackets = new ExtraPackets(this.#sendPacket);
    this.#proposer = this.#makeProposer();
    this.#tail = new TailJudge({
      ...{ core, log: parts.log, peers: this.peers },
      trustsTail: options.trustTail === true,
    });
    this.driver = this.#makeDriver();
    this.memberPart = this.#makeMemberPart();
    this.operations = new EncryptionOperations({
      ...parts,
      memberPart: this.memberPart,
      packets: this.extraPackets,
      encryption: this.encryption,
      lock: this.#lock,
      electionMs: options.electionMs,
      isStopped: () => host.isStopped(),
      isCaughtUp: () => host.isCaughtUp(),
      rotateOnStart: options.rotateOnStart === true,
      propose: (payload) => this.proposeEncryption(payload),
      long: this.memberPart.longChanges(this.sealing.cutover),
      openFailures: () => this.sealing.opening.failures,
    });
    this.changes = this.#makeChanges();
    this.#expiry = this.#makeExpiry();
    this.#attachCheckpoints();
  }

  get raftCounters(): RaftCounters {
    return this.#leaderships.counters(this.#proposer.count);
  }

  #self(): Self {
    return {
      identity: this.#parts.identity,
      peerAddress: this.peers.address,
      addresses: this.addresses,
      clusterName: this.#options.clusterName,
      founders: this.#beginnings.members,
      fsm: this.#parts.store.state.fsm,
    };
  }

  /** A lone voter leads at once; others wait for a leader or a timeout. */
  start(): void {
    const { core } = this.#parts;
    const { voters, votersOutgoing } = core.state.membership.config;
    this.#tail.judge();
    this.encryption.start();
    this.memberPart.start();
    const isLone = voters.length === 1 && voters[0] === core.state.id;
    if (isLone && votersOutgoing.length === 0) core.campaign();
    this.driver.start();
  }

  /**
   * Proposes a change of encryption as the leader of this moment's term; `null`
   * when it does not lead or the core refuses: nothing was proposed then. The
   * answer comes once it is applied here, or never will be.
   */
  proposeEncryption(payload: Uint8Array): Promise<EncryptionOutcome> | null {
    const { term } = this.#parts.core.state;
    const id = this.proposals.takeId();
    const { outcomes } = this.encryption;
    const onDropped = () => outcomes.dropped(id);
    if (!this.#proposer.propose(id, payload, onDropped)) return null;
    this.driver.wake();
    return outcomes.wait(id, term);
  }

  /** Takes nothing new; what is under way goes on until `close`. */
  stop(): void {
    this.driver.stop();
    this.encryption.stop();
    this.sealing.cutover.progressed();
  }

  /** Ends what is under way, then closes links, log, store and data dir. */
  async close(): Promise<void> {
    const { wal, store, lock, checkpoints } = this.#parts;
    await this.peers.close();
    await this.driver.settled();
    await this.memberPart.stop();
    await checkpoints.stop();
    await this.#applier.stop();
    await this.encryption.settled();
    await this.#expiry.stop();
    await this.#compaction.settled();
    try {
      await wal.close();
    } finally {
      await store.close();
      await lock.release();
    }
  }

  #makeEncryption(): NodeEncryption {
    const host = this.#host;
    return new NodeEncryption(this.#parts, {
      isCaughtUp: () => host.isCaughtUp(),
      progressed: () => {
        host.progressed();
        this.driver.wake();
      },
      failed: (error) => host.failed(error),
    });
  }

  #makeMemberPart(): MemberPart {
    return new MemberPart({
      ...this.#parts,
      packets: this.extraPackets,
      compaction: this.#compaction,
      rest: (task) => this.#applier.rest(task),
      isStopped: () => this.#host.isStopped(),
      failed: (error) => this.#host.failed(error),
    });
  }

  #makePeers(): Peers {
    return new Peers({
      identity: this.#parts.identity,
      initial: this.#beginnings.members,
      clusterId: this.#beginnings.clusterId,
      epochs: () => this.encryption.claimedEpochs(),
      monotonicMs: () => this.#parts.clock.monotonicMs(),
      host: peersHost({
        ...this.#parts,
        run: (take) => this.driver.run(take),
        packets: () => this.extraPackets,
        proposer: () => this.#proposer,
        failed: (error) => this.#host.failed(error),
      }),
    });
  }

  #makeApplier(): Applier {
    const { core, wal, store } = this.#parts;
    return new Applier(store, {
      clusterIdKnown: (id) => wal.setClusterId(id),
      applied: (group) => this.#onApplied(group),
      skipped: (seq) => this.driver.run(() => core.applied(seq)),
      halted: (error) => this.#host.failed(error),
    }, {
      acting: this.encryption.acting,
      opening: this.sealing.opening,
    });
  }

  #makeSealing(): RaftSealing {
    const { outcomes } = this.encryption;
    return new RaftSealing(this.#parts, {
      ...{ outcomes, electionMs: this.#options.electionMs },
      takeId: () => this.proposals.takeId(),
      confirmLead: async () =>
        await this.reads.wait(this.#parts.clock.monotonicMs()),
      wake: () => this.driver.wake(),
      isStopped: () => this.#host.isStopped(),
      failed: (error) => this.#host.failed(error),
    });
  }

  #makeProposer(): Proposer {
    const { core, clock, random } = this.#parts;
    return new Proposer({
      ...{ core, clock, proposals: this.proposals, line: this.sealing.line },
      boot: random.below(2 ** 32),
      sendPacket: this.#sendPacket,
      nameOf: (id) => this.peers.nameOf(id),
      clusterInit: () => clusterInitOf(this.#self(), random),
      announcement: () => announcementOf(this.#self()),
      registration: () => this.encryption.takeRegistration(),
      takesWrites: () => this.encryption.isKnown,
    });
  }

  #makeChanges(): MemberChanges {
    const { core, clock, log, store } = this.#parts;
    const { gate } = this.operations;
    return new MemberChanges({
      ...{ core, clock, log, gate, lock: this.#lock },
      electionMs: this.#options.electionMs,
      state: () => ({ ...store.state, applied: store.state.applied.index }),
      isUp: (id) => this.peers.isUp(id),
      wake: () => this.driver.wake(),
      isStopped: () => this.#host.isStopped(),
    });
  }

  #makeExpiry(): Expiry {
    const { clock, store } = this.#parts;
    return new Expiry(clock, store, {
      proposeClock: (wallMs) => {
        this.#proposer.wantClock(wallMs);
        this.driver.wake();
      },
      expired: (keys) => this.#host.changed(keys),
      halted: (error) => this.#host.failed(error),
    });
  }

  #makeDriver(): Driver {
    const { core, wal, clock, store, checkpoints } = this.#parts;
    return new Driver({
      core,
      wal,
      clock,
      applier: this.#applier,
      proposer: this.#proposer,
      reads: this.reads,
      lease: this.lease,
      heartbeatMs: this.#options.heartbeatMs,
      send: (messages) => this.peers.transport?.send(messages),
      sendCheckpoint: (to, index) => checkpoints.send(to, index),
      install: (metadata) => this.#install(metadata),
      applied: () => store.state.applied.index,
      onTick: () => this.#onTick(),
      onLeadership: (leadership) => this.#onLeadership(leadership),
      onFatal: (error) => this.#host.failed(error),
    });
  }

  #attachCheckpoints(): void {
    const { core, wal, checkpoints } = this.#parts;
    checkpoints.attach(checkpointsHost({
      ...{ core, wal },
      run: (take) => this.driver.run(take),
      openStream: (to) => this.peers.openStream(to),
      onFatal: (error) => this.#host.failed(error),
    }));
  }

  /** Swaps the store while the applier rests; the log follows. */
  async #install(metadata: SnapshotMetadata): Promise<void> {
    const { checkpoints, store, wal, log } = this.#parts;
    await this.#applier.replaceStore(() => checkpoints.install(metadata));
    const { clusterId } = store.state.fsm;
    if (clusterId !== null) await wal.setClusterId(clusterId);
    log.write("info", "store_replaced", {
      index: metadata.index,
      term: metadata.term,
    });
    this.proposals.passedOver();
    this.reads.appliedTo(metadata.index);
    this.peers.refresh();
    this.encryption.onReplaced();
    this.sealing.cutover.progressed();
    this.memberPart.progressed();
    this.#expiry.wake();
    this.#host.changed(null);
    this.#host.progressed();
  }

  #onApplied(group: AppliedGroup): void {
    const { core, wal, store } = this.#parts;
    if (group.seq !== null) core.applied(group.seq);
    for (const [id, replies] of group.replies) {
      this.proposals.resolve(id, replies);
    }
    this.proposals.termApplied(group.term);
    this.encryption.onApplied(group);
    this.sealing.cutover.progressed();
    this.memberPart.progressed();
    this.reads.appliedTo(group.index);
    if (group.isMembershipChanged) {
      this.lease?.end();
      this.peers.refresh();
      const removal = removalError(this.#parts.identity, store.state);
      if (removal !== null) this.#host.failed(removal);
    }
    this.#host.changed(group.mutations);
    wal.release(group.index);
    this.#compaction.consider(store.durable, this.#failed);
    this.#expiry.wake();
    this.changes.progressed();
    this.#host.progressed();
    this.driver.wake();
  }

  #onLeadership(leadership: Leadership): void {
    const leader = this.peers.nameOf(leadership.lead);
    this.#leaderships.onLeadership(leadership, leader);
    this.#parts.checkpoints.leadershipChanged();
    this.sealing.cutover.progressed();
    this.changes.progressed();
    this.#host.progressed();
  }

  #onTick(): void {
    const { core, clock, store } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.proposals.expire(nowMs - REQUEST_MS_MAX);
    this.reads.expire(nowMs - REQUEST_MS_MAX);
    this.#tail.judge();
    if (nowMs - this.#toldMs < STATE_MS) return;
    this.#toldMs = nowMs;
    this.changes.promoteCaughtUp();
    this.operations.onTick();
    this.peers.tell({
      kind: "state",
      applied: store.state.applied.index,
      commit: core.state.entryLog.committed,
      isReady: this.#host.isReady(),
      phase: phaseOf(store.state.fsm.encryption),
    });
    this.#host.progressed();
  }
}
