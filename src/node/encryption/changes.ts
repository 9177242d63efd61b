import { unreachable } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import {
  type KeyId,
  type KeyWrap,
  type SealingPurpose,
  type WrappedKey,
} from "../../base/data_key.ts";
import { decodeEncryption } from "../../fsm/encryption_payload.ts";
import type { EncryptionChange, FsmState, MemberId } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { Core } from "../../raft/core.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import type {
  CapabilityFinding,
  EncryptionRequest,
  EncryptionResult,
} from "../encryption_port.ts";
import { NotReadyError, OutcomeUnknownError } from "../errors.ts";
import { MemberChangeRefusedError, NotLeaderError } from "../member_errors.ts";
import type { ChangeTerms } from "../port.ts";
import {
  CapabilityUnprovenError,
  ChangeUnderWayError,
  EncryptionGateClosedError,
  EncryptionRefusedError,
} from "./change_errors.ts";
import type { ChangeLock } from "./change_lock.ts";
import {
  type AvailableRequest,
  availableRequest,
  type EncryptionFacts,
  planEncryption,
  type PlannedEncryption,
} from "./change_plan.ts";
import { encodeForeseen } from "./foreseen.ts";
import { gapsInTime } from "./gaps.ts";
import type { CapabilityFanOut } from "./fan_out.ts";
import type { EncryptionOutcome } from "./outcomes.ts";

/** The applied state, as changes are decided on it. */
export interface AppliedState {
  readonly applied: { readonly index: LogIndex; readonly term: Term };
  readonly fsm: FsmState;
}

export interface EncryptionChangesHost {
  readonly self: { readonly id: MemberId; readonly name: string };
  readonly core: Core;
  readonly clock: Clock;
  readonly custody: KeyCustody;
  readonly lock: ChangeLock;
  readonly fanOut: CapabilityFanOut;
  /** Least time of an election. */
  readonly electionMs: number;
  state(): AppliedState;
  /** Whether the registry shows all epochs of this node. */
  isRegistered(): boolean;
  /** This node's registration to propose; `null` when there is none. */
  takeRegistration(): Uint8Array | null;
  isStopped(): boolean;
  /** Makes an entry of `payload` as the leader; `null` when the core refuses. */
  propose(payload: Uint8Array): Promise<EncryptionOutcome> | null;
}

type CarriedOut = Omit<EncryptionResult, "plan">;

/** A question to members takes at least as long (operator.md, Timing). */
const FAN_OUT_MS_MIN = 500;
/** A change that is not applied after this many election times is given up on. */
const CHANGE_ELECTIONS_MAX = 20;

/**
 * Changes of encryption as operators ask for them, one at a time, on the
 * leader: planned and validated against the applied state, and only when the
 * members have proven that they can apply them, proposed.
 */
export class EncryptionChanges {
  readonly #host: EncryptionChangesHost;

  constructor(host: EncryptionChangesHost) {
    this.#host = host;
  }

  /** As `EncryptionPort.changeEncryption`. */
  async change(
    asked: EncryptionRequest,
    terms: ChangeTerms,
  ): Promise<EncryptionResult> {
    const request = availableRequest(asked);
    this.#mustLead();
    await this.#mustBeOpen();
    const planned = planEncryption(request, terms, this.#facts());
    if (terms.dryRun || !planned.isNeeded) return unchanged(planned);
    return await this.#locked(request.kind, async () => {
      const { plan } = planEncryption(request, terms, this.#facts());
      return { plan, ...await this.#carryOut(request) };
    });
  }

  /** As `EncryptionPort.askCapabilities`. */
  async ask(): Promise<readonly CapabilityFinding[]> {
    this.#mustLead();
    await this.#mustBeOpen();
    return await this.#fanOut([]);
  }

  /** Whether a change may begin here now. */
  get isFree(): boolean {
    const { core, lock } = this.#host;
    return core.state.role === "leader" && lock.holder === null &&
      !this.#host.isStopped();
  }

  async #carryOut(request: AvailableRequest): Promise<CarriedOut> {
    const { core } = this.#host;
    const { term } = core.state;
    this.#mustLead();
    this.#mustBeSettled();
    const unreachable = await this.#mustBeProven(request);
    const change = await this.#changeOf(request);
    this.#mustLead(term);
    this.#mustBeSettled();
    if (change === null) return { isChanged: false, index: 0, unreachable };
    const { fsm, applied } = this.#host.state();
    const payload = encodeForeseen(fsm, applied.index, change);
    const index = await this.#propose(payload);
    return { isChanged: true, index, unreachable };
  }

  async #propose(payload: Uint8Array): Promise<LogIndex> {
    const proposed = this.#host.propose(payload);
    if (proposed === null) {
      throw new NotReadyError("the leader takes no proposals just now");
    }
    const outcome = await this.#inTime(proposed);
    switch (outcome.kind) {
      case "taken":
        return outcome.index;
      case "refused": {
        const { code, detail } = outcome.refusal;
        throw new EncryptionRefusedError(code, detail);
      }
      case "lost":
        // Nothing was changed: the next leader may be asked.
        throw this.#notLeader();
      case "unknown":
        throw new OutcomeUnknownError();
      default:
        return unreachable(outcome);
    }
  }

  /** The lock is not for ever: an entry that does not commit is given up on. */
  async #inTime(
    proposed: Promise<EncryptionOutcome>,
  ): Promise<EncryptionOutcome> {
    const { clock, electionMs } = this.#host;
    const { promise, resolve } = Promise.withResolvers<EncryptionOutcome>();
    const late = clock.after(
      electionMs * CHANGE_ELECTIONS_MAX,
      () => resolve({ kind: "unknown" }),
    );
    try {
      return await Promise.race([proposed, promise]);
    } finally {
      late.cancel();
    }
  }

  /**
   * Names of members that did not answer and need not.
   *
   * @throws {CapabilityUnprovenError}
   */
  async #mustBeProven(request: AvailableRequest): Promise<readonly string[]> {
    if (request.kind === "register-writer") return [];
    const keks = request.kind === "rewrap-deks"
      ? this.#rewrapUnder(request.keks)
      : [];
    const verdicts = await this.#fanOut(keks);
    const isSilent = ({ code }: CapabilityFinding) => code === "unreachable";
    // A member that is down gets a rotated key like any other entry: later.
    const silent = request.kind === "rotate-dek"
      ? verdicts.filter(isSilent)
      : [];
    const unproven = verdicts.filter((verdict) =>
      verdict.code !== "" && !silent.includes(verdict)
    );
    if (unproven.length > 0) {
      throw new CapabilityUnprovenError(request.kind, unproven);
    }
    return silent.map(({ member }) => member);
  }

  async #fanOut(
    keks: readonly string[],
  ): Promise<readonly CapabilityFinding[]> {
    const { core, fanOut, electionMs } = this.#host;
    return await fanOut.ask({
      clusterId: this.#clusterId(),
      term: core.state.term,
      targets: this.#facts().members,
      keks,
      timeoutMs: Math.max(electionMs, FAN_OUT_MS_MIN),
    });
  }

  /** `null` when nothing is left to be done. */
  async #changeOf(request: AvailableRequest): Promise<EncryptionChange | null> {
    switch (request.kind) {
      case "bootstrap":
        return await this.#bootstrap();
      case "rotate-dek":
        return await this.#rotation(request.purpose);
      case "rewrap-deks":
        return await this.#rewrap(request.keks);
      case "register-writer": {
        const payload = this.#host.takeRegistration();
        return payload === null ? null : decodeEncryption(payload);
      }
      default:
        return unreachable(request);
    }
  }

  async #bootstrap(): Promise<EncryptionChange> {
    const keys: WrappedKey[] = [];
    for (const purpose of ["storage", "raft", "state"] as const) {
      const drawn = new Set(keys.map(({ id }) => id));
      keys.push(await this.#draw(purpose, drawn));
    }
    return { kind: "bootstrap", keys };
  }

  async #rotation(purpose: SealingPurpose): Promise<EncryptionChange> {
    const replaces = this.#host.state().fsm.encryption.active[purpose];
    const key = await this.#draw(purpose, new Set());
    return { kind: "rotate-dek", key, replaces };
  }

  #draw(
    purpose: WrappedKey["purpose"],
    drawn: ReadonlySet<KeyId>,
  ): Promise<WrappedKey> {
    const { custody, clock } = this.#host;
    const { keys, retired } = this.#host.state().fsm.encryption;
    return custody.drawKey({
      clusterId: this.#clusterId(),
      purpose,
      taken: (id) => keys.has(id) || retired.has(id) || drawn.has(id),
      createdMs: clock.wallMs(),
    });
  }

  async #rewrap(keks: readonly string[]): Promise<EncryptionChange> {
    const under = this.#rewrapUnder(keks);
    const wraps = new Map<KeyId, readonly KeyWrap[]>();
    for (const key of this.#host.state().fsm.encryption.keys.values()) {
      const { custody } = this.#host;
      wraps.set(key.id, await custody.rewrap(this.#clusterId(), key, under));
    }
    return { kind: "rewrap-deks", wraps };
  }

  #rewrapUnder(keks: readonly string[]): readonly string[] {
    const [...named] = new Set(keks);
    return named.length === 0 ? this.#host.custody.kekIds.slice(0, 1) : named;
  }

  #facts(): EncryptionFacts {
    const { core, custody, self } = this.#host;
    const { fsm } = this.#host.state();
    const members = [...fsm.members.values()];
    return {
      clusterName: fsm.clusterName,
      self,
      term: core.state.term,
      members: members.length === 0 ? [self] : members,
      encryption: fsm.encryption,
      kekIds: custody.kekIds,
      isRegistered: this.#host.isRegistered(),
    };
  }

  /** @throws {NotReadyError} */
  #clusterId(): Bytes {
    const { clusterId } = this.#host.state().fsm;
    if (clusterId === null) {
      throw new NotReadyError("the cluster is not founded yet");
    }
    return clusterId;
  }

  /** @throws {EncryptionGateClosedError} */
  async #mustBeOpen(): Promise<void> {
    const { custody, self, clock } = this.#host;
    const gaps = await gapsInTime(custody, clock);
    if (gaps.length > 0) throw new EncryptionGateClosedError(self.name, gaps);
  }

  /**
   * All that earlier leaders left is applied here, and no change of the members
   * is on its way: what is decided now stays true until it is proposed.
   *
   * @throws {NodeError} NODE_NOT_READY, NODE_MEMBER_CHANGE_REFUSED.
   */
  #mustBeSettled(): void {
    const { core } = this.#host;
    const { applied } = this.#host.state();
    if (applied.term !== core.state.term) {
      throw new NotReadyError("the leader has yet to apply its first entry");
    }
    if (core.state.pendingConfIndex > applied.index) {
      throw new MemberChangeRefusedError(
        "a change of the members is under way",
      );
    }
  }

  /**
   * @throws {NotLeaderError} Also when it leads in another term than `term`.
   * @throws {NotReadyError} The node is stopping.
   */
  #mustLead(term: Term | null = null): void {
    const { core } = this.#host;
    if (this.#host.isStopped()) {
      throw new NotReadyError("the node is stopping");
    }
    const { role, leadTransferee } = core.state;
    const isSame = term === null || term === core.state.term;
    if (role === "leader" && leadTransferee === 0 && isSame) return;
    throw this.#notLeader();
  }

  #notLeader(): NotLeaderError {
    const { lead } = this.#host.core.state;
    const leader = this.#host.state().fsm.members.get(lead);
    return new NotLeaderError(leader?.name ?? "", leader?.adminAddress ?? "");
  }

  #locked<T>(name: string, change: () => Promise<T>): Promise<T> {
    const refuse = (holder: string) => new ChangeUnderWayError(holder);
    return this.#host.lock.run(name, refuse, change);
  }
}

function unchanged({ plan, index }: PlannedEncryption): EncryptionResult {
  return { plan, isChanged: false, index, unreachable: [] };
}
