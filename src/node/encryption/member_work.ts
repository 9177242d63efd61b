import type { KeyId } from "../../base/data_key.ts";
import { present } from "../../base/assert.ts";
import type { EncryptionState, RolloutState } from "../../fsm/types.ts";
import type { LogIndex } from "../../raft/types.ts";
import type { MemberScan, MemberTask } from "../encryption_port.ts";
import type { AskedMember, LongChangeContext } from "./long_changes.ts";
import { notRetirable, retirementTask, usesOf } from "./retire.ts";
import { CleartextRemainsError, KeyInUseError } from "./task_errors.ts";
import type { MemberTasks, MustLead } from "./tasks/member_tasks.ts";

export interface MemberWorkHost {
  readonly self: number;
  readonly tasks: MemberTasks;
  /** As it is applied here. */
  state(): EncryptionState;
  rollout(): RolloutState;
  applied(): LogIndex;
  /** End of this node's log, what is not committed included. */
  lastIndex(): LogIndex;
}

/** Steps that every member has a part in, as the leader has them carried out. */
export class MemberWork {
  readonly #host: MemberWorkHost;

  constructor(host: MemberWorkHost) {
    this.#host = host;
  }

  /**
   * As `LongChanges.sealCleartext`.
   *
   * @throws {CleartextRemainsError}
   */
  async sealCleartext(context: LongChangeContext): Promise<LogIndex> {
    const { members } = context;
    const { storageCutoverIndex } = this.#host.state();
    const reports = await this.#host.tasks.run(
      { kind: "scan", appliedFrom: storageCutoverIndex },
      members,
      { ...context, action: "seal-cleartext" },
    );
    const findings = reports.map(({ member, counts }) => ({
      member,
      records: present(counts, "the outcome of a scan").cleartext,
    })).filter(({ records }) => records > 0);
    if (findings.length > 0) throw new CleartextRemainsError(findings);
    return await context.propose({ kind: "seal-cleartext" });
  }

  /**
   * As `LongChanges.retireDek`.
   *
   * @throws {KeyNotRetirableError} @throws {KeyInUseError}
   */
  async retireDek(
    keyId: KeyId,
    context: LongChangeContext,
  ): Promise<LogIndex> {
    const state = this.#host.state();
    const refusal = notRetirable(state, keyId);
    if (refusal !== null) throw refusal;
    const reports = await this.#host.tasks.run(
      retirementTask(state, keyId, this.#host.lastIndex()),
      context.members,
      { ...context, action: "retire-dek" },
    );
    const deactivatedIndex = state.keys.get(keyId)?.deactivatedIndex ?? 0;
    const uses = usesOf(keyId, deactivatedIndex, reports);
    if (uses.length > 0) throw new KeyInUseError(keyId, uses);
    return await context.propose({ kind: "retire-dek", keyId });
  }

  /** As `LongChanges.scrub`. */
  async scrub(
    members: readonly AskedMember[],
    context: LongChangeContext,
  ): Promise<void> {
    const { self, tasks } = this.#host;
    const spec = { kind: "scrub", appliedFrom: this.#host.applied() } as const;
    const isSelf = ({ id }: AskedMember) => id === self;
    const others = members.filter((member) => !isSelf(member));
    const terms = { ...context, action: "scrub" };
    // A leader that scrubs its log first would send checkpoints to those behind.
    await tasks.run(spec, others, terms);
    await tasks.run(spec, members.filter(isSelf), terms);
  }

  /** As `EncryptionPort.rewriteProgress`. */
  async rewriteProgress(
    members: readonly AskedMember[],
    mustLead: MustLead,
  ): Promise<readonly MemberTask[]> {
    const { rewrite } = this.#host.rollout();
    const { stateIndex } = this.#host.state();
    // What the job is, and the key that it seals under. All that is applied
    // here would be too much: beside writes, a follower is never there.
    const appliedFrom = Math.max(rewrite?.id ?? 0, stateIndex);
    const spec = { kind: "rewrite", appliedFrom } as const;
    return await this.#host.tasks.poll(spec, members, mustLead);
  }

  /** As `EncryptionPort.scanRecords`. */
  scanRecords(
    members: readonly AskedMember[],
    mustLead: MustLead,
  ): AsyncIterable<readonly MemberScan[]> {
    const spec = { kind: "scan", appliedFrom: this.#host.applied() } as const;
    return this.#host.tasks.follow(spec, members, mustLead);
  }
}
