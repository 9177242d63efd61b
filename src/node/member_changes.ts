import type { Clock } from "../io/clock.ts";
import type { EventLog } from "../io/log.ts";
import type { FsmState } from "../fsm/types.ts";
import { encodeMemberContext } from "../fsm/members.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { NodeError } from "../base/error.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  type ConfChange,
  type SingleChange,
  TRANSITION_AUTO,
} from "../raft/conf_change.ts";
import type { Core } from "../raft/core.ts";
import { isVoter } from "../raft/membership.ts";
import type { ConfState, LogIndex, RaftId, Term } from "../raft/types.ts";
import { ChangeUnderWayError } from "./encryption/change_errors.ts";
import type { ChangeLock } from "./encryption/change_lock.ts";
import type { MemberGate } from "./encryption/member_gate.ts";
import { OutcomeUnknownError } from "./errors.ts";
import {
  MemberChangeRefusedError,
  MemberUnprovenError,
  NotLeaderError,
  TransferFailedError,
} from "./member_errors.ts";
import {
  bestHeir,
  type ClusterFacts,
  type MemberFacts,
  memberToAdd,
  planMemberChange,
  PROMOTE_LAG_MAX,
} from "./member_plan.ts";
import type { ChangeResult, ChangeTerms, MemberRequest } from "./port.ts";

/** What changes of the members need of their node. */
export interface MemberChangesHost {
  readonly core: Core;
  readonly clock: Clock;
  /** Least time of an election. */
  readonly electionMs: number;
  /** The applied state. */
  state(): {
    readonly applied: LogIndex;
    readonly confState: ConfState;
    readonly fsm: FsmState;
  };
  /** Whether the member talks to this one. */
  isUp(id: RaftId): boolean;
  /** Runs a turn of the driver. */
  wake(): void;
  isStopped(): boolean;
  readonly log: EventLog;
  /** Who may come in while there are keys. */
  readonly gate: Pick<MemberGate, "isOn" | "admit" | "unprovenOf">;
  /** Shared with whatever else changes the cluster. */
  readonly lock: ChangeLock;
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: (isDone: boolean) => void;
}

/** A change that is not applied after this many election times is given up on. */
const CHANGE_ELECTIONS_MAX = 20;
/** From one question for the proof of a learner that waits to the next. */
const ASK_AGAIN_MS = 2_000;
/** A hand-over: raft gives up on it after one. */
const TRANSFER_ELECTIONS_MAX = 3;

/** Changes of the members as operators ask for them, one at a time. */
export class MemberChanges {
  readonly #host: MemberChangesHost;
  readonly #waiters = new Set<Waiter>();
  /** When a learner is asked for its proof again, and what was said of it. */
  readonly #askAgainMs = new Map<RaftId, number>();
  readonly #saidWaiting = new Map<RaftId, string>();

  constructor(host: MemberChangesHost) {
    this.#host = host;
  }

  /** As `OperatorPort.changeMembers`. */
  async change(
    request: MemberRequest,
    terms: ChangeTerms,
  ): Promise<ChangeResult> {
    this.#mustLead();
    const { plan, member, isNeeded } = planMemberChange(
      request,
      terms,
      this.facts(),
    );
    if (terms.dryRun || !isNeeded) {
      return { plan, isChanged: false, memberId: member?.id ?? 0 };
    }
    const memberId = await this.#host.lock.run(
      "a change of the members",
      (holder) => new ChangeUnderWayError(holder),
      () => this.#carryOut(request, member),
    );
    return { plan, isChanged: true, memberId };
  }

  async #carryOut(
    request: MemberRequest,
    member: MemberFacts | null,
  ): Promise<RaftId> {
    const memberId = member?.id ?? 0;
    if (request.kind === "add") return await this.#add(request);
    if (request.kind === "promote" && member !== null) {
      await this.#promote(member);
    } else if (request.kind === "remove") await this.#remove(memberId);
    else if (member !== null) await this.#transferTo(member);
    return memberId;
  }

  /** Hands the leadership to the best other voter, if this member leads. */
  async handOver(): Promise<void> {
    const { core } = this.#host;
    if (core.state.role !== "leader") return;
    const heir = bestHeir(this.facts());
    if (heir === null) return;
    await this.#transferTo(heir).catch((error) => {
      if (!(error instanceof TransferFailedError)) throw error;
    });
  }

  /** Makes voters of learners that were to be when they have caught up. */
  promoteCaughtUp(): void {
    const { core, clock, gate, lock } = this.#host;
    if (core.state.role !== "leader" || lock.holder !== null) return;
    const { members, commit } = this.facts();
    const nowMs = clock.monotonicMs();
    const ripe = members.find((one) =>
      !one.isVoter && one.promoteWhenCaughtUp && one.isActive &&
      one.diskId !== null && commit - one.match <= PROMOTE_LAG_MAX &&
      (this.#askAgainMs.get(one.id) ?? 0) <= nowMs
    );
    if (ripe === undefined) return;
    if (gate.isOn) void this.#promoteProven(ripe);
    else this.#makeVoter(ripe.id);
  }

  /** Not under the lock: a learner that never proves would hold it for ever. */
  async #promoteProven(member: MemberFacts): Promise<void> {
    const { core, clock, log, gate, lock } = this.#host;
    const { id, name } = member;
    const { term } = core.state;
    // Not while it is asked, which may take longer.
    this.#askAgainMs.set(id, Infinity);
    let code: string;
    try {
      code = (await gate.unprovenOf(member))?.code ?? "";
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      code = error.code;
    } finally {
      this.#askAgainMs.set(id, clock.monotonicMs() + ASK_AGAIN_MS);
    }
    if (code !== "") {
      if (this.#saidWaiting.get(id) === code) return;
      this.#saidWaiting.set(id, code);
      log.write("warn", "encryption_promotion_waits", { member: name, code });
      return;
    }
    const isSame = core.state.role === "leader" && core.state.term === term;
    if (!isSame || lock.holder !== null || !this.#hasMember(id)) return;
    if (isVoter(this.#host.state().confState, id)) return;
    this.#makeVoter(id);
  }

  #makeVoter(id: RaftId): void {
    // Refused while another change is on its way: asked again with a later tick.
    this.#host.core.proposeConfChange(changeOf(CHANGE_ADD_VOTER, id));
    this.#host.wake();
  }

  /** Entries were applied or the leader changed: waits may be over. */
  progressed(): void {
    for (const waiter of [...this.#waiters]) {
      if (!waiter.isDone() && !this.#host.isStopped()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(waiter.isDone());
    }
  }

  /** What the leader knows; others know less. */
  facts(): ClusterFacts {
    const { core } = this.#host;
    const { confState, fsm } = this.#host.state();
    const { id, term } = core.state;
    const progress = new Map(core.members().map((one) => [one.id, one]));
    return {
      clusterName: fsm.clusterName,
      self: id,
      term,
      commit: core.state.entryLog.committed,
      confState,
      writers: fsm.encryption.writers,
      members: [...fsm.members.values()].map((member): MemberFacts => ({
        ...member,
        isVoter: isVoter(confState, member.id),
        isActive: member.id === id || this.#host.isUp(member.id),
        match: progress.get(member.id)?.match ?? 0,
      })),
    };
  }

  async #add(
    request: Extract<MemberRequest, { kind: "add" }>,
  ): Promise<RaftId> {
    const { core, gate } = this.#host;
    const { term } = core.state;
    if (gate.isOn) {
      await gate.admit(request.name, term);
      this.#mustLead(term);
    }
    // The index of the entry that adds it: never given out twice (formats.md).
    const id = core.state.entryLog.lastIndex() + 1;
    const member = memberToAdd(id, request);
    const context = encodeMemberContext([member]);
    const change = { ...changeOf(CHANGE_ADD_LEARNER, id), context };
    await this.#propose(change, () => this.#hasMember(id));
    return id;
  }

  async #promote(member: MemberFacts): Promise<void> {
    const { core, gate } = this.#host;
    const { id, name } = member;
    const { term } = core.state;
    if (gate.isOn) {
      const finding = await gate.unprovenOf(member);
      if (finding !== null) {
        throw new MemberUnprovenError("promote", name, finding);
      }
      this.#mustLead(term);
    }
    const isDone = () => this.#host.state().confState.voters.includes(id);
    await this.#propose(changeOf(CHANGE_ADD_VOTER, id), isDone);
  }

  /** A leader that is to go leads no more when it is removed (Raft §4.2.2). */
  async #remove(id: RaftId): Promise<void> {
    const { core } = this.#host;
    if (id === core.state.id) {
      const heir = bestHeir(this.facts());
      if (heir === null) {
        throw new MemberChangeRefusedError("no other voter is up to lead");
      }
      await this.#transferTo(heir);
    }
    const change = changeOf(CHANGE_REMOVE, id);
    const isDone = () => !this.#hasMember(id);
    if (id === core.state.id) await this.#proposeAgain(change, isDone);
    else await this.#propose(change, isDone);
  }

  async #transferTo({ id, name }: MemberFacts): Promise<void> {
    const { core } = this.#host;
    core.transferLeader(id);
    this.#host.wake();
    const isDone = () => core.state.lead === id;
    if (!await this.#until(isDone, TRANSFER_ELECTIONS_MAX)) {
      throw new TransferFailedError(name);
    }
  }

  /**
   * Proposes `change` on the leader, and waits for its effect.
   *
   * @throws {NodeError} NODE_MEMBER_CHANGE_REFUSED, NODE_OUTCOME_UNKNOWN.
   */
  async #propose(change: ConfChange, isDone: () => boolean): Promise<void> {
    const { core } = this.#host;
    const refusal = core.proposeConfChange(change);
    if (refusal !== null) throw new MemberChangeRefusedError(refusal);
    this.#host.wake();
    if (await this.#until(isDone, CHANGE_ELECTIONS_MAX)) return;
    throw new OutcomeUnknownError("member list");
  }

  /**
   * Proposes `change` through the leader, which may lose it or be at another
   * one just then: again and again, so twice must be as good as once.
   *
   * @throws {OutcomeUnknownError}
   */
  async #proposeAgain(
    change: ConfChange,
    isDone: () => boolean,
  ): Promise<void> {
    for (let i = 0; i < CHANGE_ELECTIONS_MAX; i += 1) {
      this.#host.core.proposeConfChange(change);
      this.#host.wake();
      if (await this.#until(isDone, 1)) return;
      if (this.#host.isStopped()) break;
    }
    throw new OutcomeUnknownError("member list");
  }

  async #until(isDone: () => boolean, electionsMax: number): Promise<boolean> {
    if (isDone()) return true;
    const { clock, electionMs } = this.#host;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter: Waiter = { isDone, resolve };
    this.#waiters.add(waiter);
    const timer = clock.after(electionMs * electionsMax, () => {
      this.#waiters.delete(waiter);
      resolve(isDone());
    });
    const done = await promise;
    timer.cancel();
    return done;
  }

  #hasMember(id: RaftId): boolean {
    const { voters, votersOutgoing, learners, learnersNext } =
      this.#host.state().confState;
    return [voters, votersOutgoing, learners, learnersNext]
      .some((ids) => ids.includes(id));
  }

  /** @throws {NotLeaderError} Also when it leads in another term than `term`. */
  #mustLead(term: Term | null = null): void {
    const { core } = this.#host;
    const { role, leadTransferee } = core.state;
    const isSame = term === null || term === core.state.term;
    if (role === "leader" && leadTransferee === 0 && isSame) return;
    const { members } = this.#host.state().fsm;
    const leader = members.get(core.state.lead);
    throw new NotLeaderError(leader?.name ?? "", leader?.adminAddress ?? "");
  }
}

function changeOf(type: SingleChange["type"], id: RaftId): ConfChange {
  return {
    transition: TRANSITION_AUTO,
    changes: [{ type, id }],
    context: EMPTY_BYTES,
  };
}
