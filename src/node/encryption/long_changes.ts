import type { KeyId } from "../../base/data_key.ts";
import type { EncryptionChange, MemberId } from "../../fsm/types.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import type { MemberTask } from "../encryption_port.ts";
import type { EncryptionOutcome } from "./outcomes.ts";

/** Who is asked about a long change: as the members were when it began. */
export interface AskedMember {
  readonly id: MemberId;
  readonly name: string;
}

/** What a change that asks members for long works with, on the leader. */
export interface LongChangeContext {
  /** In which it began. */
  readonly term: Term;
  /** In any role, this one included. */
  readonly members: readonly AskedMember[];
  /**
   * Throws unless this node leads in the term still, and is not stopping: for
   * waits between two questions.
   */
  mustLead(): void;
  /** How some of the members get on, for who looks on. */
  told(news: readonly MemberTask[]): void;
  /**
   * Makes an entry of `change` and waits until it is applied here; answers with
   * its index. Takes the lock of changes for that, and no longer.
   *
   * @throws {NodeError} NODE_NOT_LEADER, NODE_CHANGE_UNDER_WAY,
   * NODE_MEMBER_CHANGE_REFUSED when there are members that were not asked,
   * NODE_ENCRYPTION_REFUSED, NODE_OUTCOME_UNKNOWN.
   */
  propose(change: EncryptionChange): Promise<LogIndex>;
}

/** Steps that take long, as whoever carries them out has them. */
export interface LongChanges {
  /**
   * Closes the gate, drains, and sets the marker, as the leader of `term`; the
   * lock of changes is held, and every member has proven.
   */
  enableRaftEnvelope(term: Term): Promise<EncryptionOutcome>;
  /** Proposes the lock once every member has found no cleartext. */
  sealCleartext(context: LongChangeContext): Promise<LogIndex>;
  /** Proposes to forget the key once every member has shown it is unused. */
  retireDek(keyId: KeyId, context: LongChangeContext): Promise<LogIndex>;
  /** On `members`, the leader last. */
  scrub(
    members: readonly AskedMember[],
    context: LongChangeContext,
  ): Promise<void>;
}
