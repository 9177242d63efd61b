import { unreachable } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { decideRollout } from "../../fsm/rollout.ts";
import { encodeRollout } from "../../fsm/rollout_payload.ts";
import type {
  EncryptionChange,
  FsmState,
  MemberId,
  RolloutChange,
} from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { Core } from "../../raft/core.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import type { CapabilityFinding } from "../encryption_port.ts";
import { NotReadyError, OutcomeUnknownError } from "../errors.ts";
import { MemberChangeRefusedError, NotLeaderError } from "../member_errors.ts";
import {
  EncryptionGateClosedError,
  EncryptionRefusedError,
} from "./change_errors.ts";
import type { EncryptionFacts } from "./change_plan.ts";
import type { CapabilityFanOut, CapabilityTarget } from "./fan_out.ts";
import { encodeForeseen } from "./foreseen.ts";
import { gapsInTime } from "./gaps.ts";
import type { EncryptionOutcome } from "./outcomes.ts";

/** The applied state, as changes are decided on it. */
export interface AppliedState {
  readonly applied: { readonly index: LogIndex; readonly term: Term };
  readonly fsm: FsmState;
}

export interface LeadingHost {
  readonly self: { readonly id: MemberId; readonly name: string };
  readonly core: Core;
  readonly clock: Clock;
  readonly custody: KeyCustody;
  readonly fanOut: CapabilityFanOut;
  /** Least time of an election. */
  readonly electionMs: number;
  state(): AppliedState;
  /** Whether the registry shows all epochs of this node. */
  isRegistered(): boolean;
  isStopped(): boolean;
  /** Makes an entry of `payload` as the leader; `null` when the core refuses. */
  propose(payload: Uint8Array): Promise<EncryptionOutcome> | null;
}

/**
 * Members get at least as long to answer: each probes its disk first, with
 * syncs, which take more than a second while it is busy (ADR 0133).
 */
const FAN_OUT_MS_MIN = 2_500;
/** A change that is not applied after this many election times is given up on. */
const CHANGE_ELECTIONS_MAX = 20;

/** What a change of encryption rests on: that this node leads, and can. */
export class Leading {
  readonly #host: LeadingHost;

  constructor(host: LeadingHost) {
    this.#host = host;
  }

  /** As the leader of `term`, after seeing that members will take it. */
  async proposeIn(term: Term, change: EncryptionChange): Promise<LogIndex> {
    this.mustLead(term);
    this.mustBeSettled();
    const { fsm, applied } = this.#host.state();
    return await this.#propose(encodeForeseen(fsm, applied.index, change));
  }

  /** As the leader of this moment. */
  async proposeRollout(change: RolloutChange): Promise<LogIndex> {
    const { fsm, applied } = this.#host.state();
    const decision = decideRollout(fsm, applied.index + 1, change);
    if (decision.kind === "refused") {
      const { code, detail } = decision.refusal;
      throw new EncryptionRefusedError(code, detail);
    }
    return await this.#propose(encodeRollout(change));
  }

  async #propose(payload: Uint8Array): Promise<LogIndex> {
    const proposed = this.#host.propose(payload);
    if (proposed === null) {
      throw new NotReadyError("the leader takes no proposals just now");
    }
    return this.indexOf(await this.#inTime(proposed));
  }

  indexOf(outcome: EncryptionOutcome): LogIndex {
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
        throw new OutcomeUnknownError("encryption status");
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

  /** Asks `targets`, all members unless given. */
  async fanOut(
    keks: readonly string[],
    targets: readonly CapabilityTarget[] = this.facts().members,
  ): Promise<readonly CapabilityFinding[]> {
    const { core, fanOut, electionMs } = this.#host;
    return await fanOut.ask({
      clusterId: this.clusterId(),
      term: core.state.term,
      ...{ targets, keks },
      timeoutMs: Math.max(electionMs, FAN_OUT_MS_MIN),
    });
  }

  facts(): EncryptionFacts {
    const { core, custody, self, clock } = this.#host;
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
      rollout: fsm.rollout,
      nowMs: clock.wallMs(),
    };
  }

  /** @throws {NotReadyError} */
  clusterId(): Bytes {
    const { clusterId } = this.#host.state().fsm;
    if (clusterId === null) {
      throw new NotReadyError("the cluster is not founded yet");
    }
    return clusterId;
  }

  /** @throws {EncryptionGateClosedError} */
  async mustBeOpen(): Promise<void> {
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
  mustBeSettled(): void {
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
  mustLead(term: Term | null = null): void {
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
}
