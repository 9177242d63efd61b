import type { KeyId, SealingPurpose } from "../../base/data_key.ts";
import type { EncryptionState, RolloutState } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { Random } from "../../io/random.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { Sessions } from "../../keys/sessions.ts";
import { encodeEncryptionState } from "../../fsm/encryption_codec.ts";
import type { Core } from "../../raft/core.ts";
import type { LogIndex } from "../../raft/types.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
  CapabilityFinding,
  ChangeUnderWay,
  EncryptionPort,
  EncryptionRequest,
  EncryptionResult,
  EncryptionStatus,
  MemberScan,
  MemberTask,
  RecordCounts,
} from "../encryption_port.ts";
import type { ExtraPackets } from "../extra_packets.ts";
import type { Identity } from "../identity.ts";
import type { ChangeTerms } from "../port.ts";
import { answerCapability } from "./capability_answer.ts";
import {
  decodeAnswer,
  decodeAsk,
  encodeAnswer,
  encodeAsk,
} from "./capability_packet.ts";
import type { ChangeLock } from "./change_lock.ts";
import { EncryptionChanges, type EncryptionChangesHost } from "./changes.ts";
import { CapabilityFanOut } from "./fan_out.ts";
import { Leading } from "./leading.ts";
import { MemberGate } from "./member_gate.ts";
import type { LongChanges } from "./long_changes.ts";
import type { MemberPart } from "./member_part.ts";
import type { NodeEncryption } from "./node_encryption.ts";
import { StartRotation } from "./start_rotation.ts";
import { encryptionStatus } from "./status.ts";
import { WornKeys } from "./worn_keys.ts";

const TOPIC_ASK = 1;
const TOPIC_ANSWER = 2;

export interface EncryptionOperationsParts {
  readonly identity: Identity;
  readonly core: Core;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly store: BufferedStore;
  readonly custody: KeyCustody;
  readonly sessions: Sessions | null;
  readonly packets: ExtraPackets;
  readonly encryption: NodeEncryption;
  readonly memberPart: MemberPart;
  readonly lock: ChangeLock;
  readonly electionMs: number;
  readonly isStopped: () => boolean;
  readonly isCaughtUp: () => boolean;
  /** Every active key is to be replaced once, if this process leads. */
  readonly rotateOnStart: boolean;
  readonly propose: EncryptionChangesHost["propose"];
  /** Entries whose envelope did not open here, by reason. */
  readonly openFailures: () => ReadonlyMap<string, number>;
  /** Steps that take long. */
  readonly long: LongChanges;
}

/** Numbers about encryption, as of each call. */
export interface EncryptionMetrics {
  /** As applied here. */
  state(): EncryptionState;
  /** Current session of this node under each key. */
  epochs(): ReadonlyMap<KeyId, number>;
  /** Envelopes sealed here since the start, by key. */
  seals(): ReadonlyMap<KeyId, number>;
  /** Envelopes that did not open here since the start, by reason. */
  openFailures(): ReadonlyMap<string, number>;
  /** Records of this member as it last counted them; `null` for never. */
  records(): RecordCounts | null;
  /** Records that the rewrite job has yet to seal here; 0 without a job. */
  rewriteRemaining(): number;
}

/** Of what the leader asks for itself. */
const OWN_TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: "",
  accept: [],
  actor: "(automatic)",
};

/** Nothing is sealed before the storage cutover. */
const NONE: ReadonlyMap<never, number> = new Map<never, number>();

/** What operators do about encryption, and what members ask each other for it. */
export class EncryptionOperations implements EncryptionPort {
  readonly #parts: EncryptionOperationsParts;
  readonly #fanOut: CapabilityFanOut;
  readonly #changes: EncryptionChanges;
  readonly #wornKeys: WornKeys;
  readonly #startRotation: StartRotation;
  /** Questions whose answers are on their way. */
  readonly #answering = new Set<string>();
  /** Who may become a member, and a voter. */
  readonly gate: MemberGate;

  constructor(parts: EncryptionOperationsParts) {
    const { identity, packets, store, encryption } = parts;
    this.#parts = parts;
    this.#fanOut = new CapabilityFanOut({
      ...parts,
      self: identity.id,
      send: (to, ask) => packets.send(to, TOPIC_ASK, encodeAsk(ask)),
      answer: (ask) => this.answerCapability(ask),
    });
    const host = {
      ...parts,
      self: { id: identity.id, name: identity.name },
      fanOut: this.#fanOut,
      state: () => store.state,
      isRegistered: () => encryption.isRegistered,
      takeRegistration: () => encryption.takeRegistration(),
    };
    this.#changes = new EncryptionChanges(host);
    this.gate = new MemberGate({
      leading: new Leading(host),
      state: host.state,
    });
    this.#wornKeys = new WornKeys({
      ...parts,
      state: () => encryption.state,
      isFree: () => this.#changes.isFree,
      rotate: (purpose) => this.#rotateWorn(purpose),
    });
    this.#startRotation = new StartRotation({
      ...parts,
      isWanted: parts.rotateOnStart,
      state: () => encryption.state,
      isFree: () => this.#changes.isFree,
      leads: () => parts.core.state.role === "leader",
      rotate: (purpose) => this.#rotateWorn(purpose),
    });
    packets.on(TOPIC_ASK, (from, body) => {
      const ask = decodeAsk(body);
      if (ask !== null) void this.#answerTo(from, ask.request, ask);
    });
    packets.on(TOPIC_ANSWER, (from, body) => {
      const answer = decodeAnswer(body);
      if (answer !== null) this.#fanOut.onAnswer(from, answer);
    });
  }

  encryptionStatus(): Promise<EncryptionStatus> {
    const { identity, store, custody, clock } = this.#parts;
    const { fsm, applied } = store.state;
    const { index } = applied;
    return encryptionStatus({
      node: identity.name,
      applied: index,
      ...{ fsm, custody, clock },
    });
  }

  answerCapability(ask: CapabilityAsk): Promise<CapabilityAnswer> {
    const { identity: { name }, store, custody } = this.#parts;
    const { clusterId } = store.state.fsm;
    return answerCapability(ask, { name, clusterId, custody });
  }

  askCapabilities(): Promise<readonly CapabilityFinding[]> {
    return this.#changes.ask();
  }

  changeEncryption(
    request: EncryptionRequest,
    terms: ChangeTerms,
  ): Promise<EncryptionResult> {
    return this.#changes.change(request, terms);
  }

  exportEncryptionState(): ReturnType<EncryptionPort["exportEncryptionState"]> {
    const { fsm, applied } = this.#parts.store.state;
    return {
      clusterId: fsm.clusterId,
      applied: applied.index,
      state: encodeEncryptionState(fsm.encryption),
    };
  }

  rolloutState(): RolloutState {
    return this.#parts.store.state.fsm.rollout;
  }

  changeUnderWay(): ChangeUnderWay | null {
    return this.#changes.underWay();
  }

  rewriteProgress(): Promise<readonly MemberTask[]> {
    return this.#parts.memberPart.rewriteProgress();
  }

  scanRecords(
    members: readonly string[],
  ): AsyncIterable<readonly MemberScan[]> {
    return this.#parts.memberPart.scanRecords(members);
  }

  metrics(): EncryptionMetrics {
    const { store, custody, memberPart } = this.#parts;
    return {
      state: () => store.state.fsm.encryption,
      epochs: () => custody.epochs(),
      seals: () => this.#parts.sessions?.seals() ?? NONE,
      openFailures: () =>
        new Map([...store.openFailures, ...this.#parts.openFailures()]),
      records: () => memberPart.counts,
      rewriteRemaining: () => memberPart.rewriteRemaining,
    };
  }

  /** Clients are to wait for keys that this start is to replace. */
  get isRotationAwaited(): boolean {
    return this.#startRotation.isAwaited;
  }

  /** For the ticks of a node, a few times a second. */
  onTick(): void {
    this.#startRotation.begin();
    this.#wornKeys.rotate();
  }

  async #rotateWorn(purpose: SealingPurpose): Promise<LogIndex> {
    const request = { kind: "rotate-dek", purpose } as const;
    return (await this.#changes.change(request, OWN_TERMS)).index;
  }

  async #answerTo(
    from: number,
    request: number,
    ask: CapabilityAsk,
  ): Promise<void> {
    const { packets, log } = this.#parts;
    // The term tells leaders apart that have started anew, and count from one.
    const question = `${from} ${ask.term} ${request}`;
    // It is sent again until the answer is there: also for an answer that is lost.
    if (this.#answering.has(question)) return;
    this.#answering.add(question);
    try {
      const answer = await this.answerCapability(ask);
      const kind = "capability-answer" as const;
      const packet = encodeAnswer({ kind, request, ...answer });
      packets.send(from, TOPIC_ANSWER, packet);
    } catch (error) {
      // It counts as one that does not answer; a later question may find more.
      log.write("warn", "encryption_capability_unanswered", {
        reason: error instanceof Error ? error.message : String(error),
      });
    } finally {
      this.#answering.delete(question);
    }
  }
}
