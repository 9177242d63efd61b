import type { ConfChange } from "../../../src/raft/conf_change.ts";
import type { Message } from "../../../src/raft/message.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import type {
  ConfState,
  Entry,
  HardState,
  LogIndex,
  RaftId,
  Snapshot,
} from "../../../src/raft/types.ts";

/** What one write makes durable, as a whole or not at all. */
export interface Batch {
  readonly hardState: HardState | null;
  readonly snapshot: Snapshot | null;
  readonly entries: readonly Entry[];
}

/** A core with the code that carries out what it wants done. */
export interface Driver {
  readonly state: RaftState;
  tick(): void;
  campaign(): void;
  step(message: Message): void;
  propose(data: Uint8Array): void;
  proposeConfChange(change: ConfChange): void;
  readIndex(round: number): void;
  transferLeader(transferee: RaftId): void;
  forgetLeader(): void;
  reportUnreachable(peer: RaftId): void;
  reportSnapshot(peer: RaftId, options: { readonly failed: boolean }): void;
  /** Does what the core wants done by now. */
  pump(): void;
  /** Writes that were under way when the process ended, oldest first. */
  unfinished(): readonly Batch[];
}

/** What a driver needs of its member. */
export interface Host {
  readonly id: RaftId;
  readonly isUp: boolean;
  /** Last index that is durable. */
  readonly durableIndex: LogIndex;
  /** Durable term. */
  readonly durableTerm: number;
  /** Membership as applied. */
  readonly config: ConfState;
  /** Runs `act` when a write is done, unless the process ends before. */
  afterWrite(act: () => void): void;
  afterApply(act: () => void): void;
  /** Between 1 and `count`: how many writes share a sync. */
  drawGroup(count: number): number;
  /** Whether the process ends between a write and what follows from it. */
  diesInWrite(): boolean;
  crash(): void;
  persist(batch: Batch): void;
  send(message: Message): void;
  /** Looks at a message to this member itself before it is stepped. */
  onOwn(message: Message): void;
  /** Applies what is new among `entries`. */
  apply(
    entries: readonly Entry[],
    configAfter: (entry: Entry) => ConfState,
  ): void;
  onRead(round: number, index: LogIndex): void;
  /** Reads entries the slow way. */
  fetch(from: LogIndex, until: LogIndex, bytesMax: number): readonly Entry[];
  /** Does `act`, then what the core wants done. */
  run(act: () => void): void;
}
