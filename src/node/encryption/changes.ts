import { unreachable } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import {
  EPOCH_WARNING,
  type KeyId,
  type KeyWrap,
  type SealingPurpose,
  type WrappedKey,
} from "../../base/data_key.ts";
import { encodeEncryption } from "../../fsm/encryption_payload.ts";
import type { EncryptionChange, FsmState, MemberId } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { Core } from "../../raft/core.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import { NodeError } from "../../base/error.ts";
import type {
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
import type { CapabilityFanOut, CapabilityVerdict } from "./fan_out.ts";
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
  readonly log: EventLog;
  readonly custody: KeyCustody;
  readonly lock: ChangeLock;
  readonly fanOut: CapabilityFanOut;
  /** Least time of an election. */
  readonly electionMs: number;
  state(): AppliedState;
  /** This node's registration; `null` when the registry shows all of it. */
  registration(): Uint8Array | null;
  /** Makes an entry of `payload` as the leader; `null` when the core refuses. */
  propose(payload: Uint8Array): Promise<EncryptionOutcome> | null;
}

/** A question to members takes at least as long (operator.md, Timing). */
const FAN_OUT_MS_MIN = 500;
/** A change that is not applied after this many election times is given up on. */
const CHANGE_ELECTIONS_MAX = 20;
/** A rotation that the leader asks for itself and that failed is asked again. */
const ROTATE_AGAIN_MS = 60_000;

/**
 * Changes of encryption as operators ask for them, one at a time, on the
 * leader: planned and validated against the applied state, and only when the
 * members have proven that they can apply them, proposed.
 */
export class EncryptionChanges {
  readonly #host: EncryptionChangesHost;
  #rotatedMs = -Infinity;

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
      const { index, unreachable } = await this.#carryOut(request);
      return { plan, isChanged: true, index, unreachable };
    });
  }

  /** As `EncryptionPort.askCapabilities`. */
  async ask(): Promise<readonly CapabilityVerdict[]> {
    this.#mustLead();
    await this.#mustBeOpen();
    return await this.#fanOut([]);
  }

  /**
   * Rotates a key whose rows come near the last epoch; a failure is told and
   * tried again later. For the leader's ticks.
   */
  rotateWorn(): void {
    const { core, lock, clock } = this.#host;
    if (core.state.role !== "leader" || lock.holder !== null) return;
    const purpose = wornPurpose(this.#host.state().fsm);
    if (purpose === null) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#rotatedMs < ROTATE_AGAIN_MS) return;
    this.#rotatedMs = nowMs;
    void this.#rotateAlone(purpose);
  }

  async #rotateAlone(purpose: SealingPurpose): Promise<void> {
    const { log } = this.#host;
    const request = { kind: "rotate-dek", purpose } as const;
    try {
      const { index } = await this.change(request, ANY_TERMS);
      log.write("info", "encryption_key_rotated", { purpose, index });
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      const { code } = error;
      log.write("warn", "encryption_rotation_failed", { purpose, code });
    }
  }

  async #carryOut(
    request: AvailableRequest,
  ): Promise<{ index: LogIndex; unreachable: readonly string[] }> {
    const { core } = this.#host;
    const { term } = core.state;
    this.#mustBeSettled();
    const silent = await this.#mustBeProven(request);
    const payload = await this.#payloadOf(request);
    this.#mustLead(term);
    this.#mustBeSettled();
    const index = payload === null ? 0 : await this.#propose(payload);
    return { index, unreachable: silent };
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
    const isSilent = ({ code }: CapabilityVerdict) => code === "unreachable";
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
  ): Promise<readonly CapabilityVerdict[]> {
    const { core, fanOut, electionMs } = this.#host;
    return await fanOut.ask({
      clusterId: this.#clusterId(),
      term: core.state.term,
      targets: this.#facts().members,
      keks,
      timeoutMs: Math.max(electionMs, FAN_OUT_MS_MIN),
    });
  }

  async #payloadOf(request: AvailableRequest): Promise<Uint8Array | null> {
    switch (request.kind) {
      case "bootstrap":
        return encodeEncryption(await this.#bootstrap());
      case "rotate-dek":
        return encodeEncryption(await this.#rotation(request.purpose));
      case "rewrap-deks":
        return encodeEncryption(await this.#rewrap(request.keks));
      case "register-writer":
        return this.#host.registration();
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
    return keks.length === 0 ? this.#host.custody.kekIds.slice(0, 1) : keks;
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
      isRegistered: this.#host.registration() === null,
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
    const { custody, self } = this.#host;
    const gaps = await custody.gaps();
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

  /** @throws {NotLeaderError} Also when it leads in another term than `term`. */
  #mustLead(term: Term | null = null): void {
    const { core } = this.#host;
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

const ANY_TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: "",
  accept: [],
};

function unchanged({ plan, index }: PlannedEncryption): EncryptionResult {
  return { plan, isChanged: false, index, unreachable: [] };
}

/** A purpose whose active key some member has nearly used up. */
function wornPurpose({ encryption }: FsmState): SealingPurpose | null {
  for (const purpose of ["storage", "raft"] as const) {
    const keyId = encryption.active[purpose];
    for (const row of encryption.writers.values()) {
      if (row.keyId === keyId && row.lastEpoch >= EPOCH_WARNING) return purpose;
    }
  }
  return null;
}
