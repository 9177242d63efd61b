import type { EncryptionPort, MemberTask } from "../node/encryption_port.ts";
import { RolloutResult, TaskState } from "./gen/encryption_pb.ts";

type State = MemberTask["state"];
type Result = ReturnType<
  EncryptionPort["rolloutState"]
>["events"][number]["result"];

/** States of tasks as answers name them. */
export const STATE_NUMBER: Readonly<Record<State, TaskState>> = {
  waiting: TaskState.WAITING,
  running: TaskState.RUNNING,
  paused: TaskState.PAUSED,
  done: TaskState.DONE,
  failed: TaskState.FAILED,
  silent: TaskState.SILENT,
};

export const STATE_NAME: Readonly<Record<TaskState, State | "unknown">> = {
  [TaskState.UNSPECIFIED]: "unknown",
  [TaskState.WAITING]: "waiting",
  [TaskState.RUNNING]: "running",
  [TaskState.PAUSED]: "paused",
  [TaskState.DONE]: "done",
  [TaskState.FAILED]: "failed",
  [TaskState.SILENT]: "silent",
};

/** What became of steps, as answers name it. */
export const RESULT_NUMBER: Readonly<Record<Result, RolloutResult>> = {
  done: RolloutResult.DONE,
  unchanged: RolloutResult.UNCHANGED,
  refused: RolloutResult.REFUSED,
  unknown: RolloutResult.UNKNOWN,
};

export const RESULT_NAME: Readonly<Record<RolloutResult, Result>> = {
  [RolloutResult.UNSPECIFIED]: "unknown",
  [RolloutResult.DONE]: "done",
  [RolloutResult.UNCHANGED]: "unchanged",
  [RolloutResult.REFUSED]: "refused",
  [RolloutResult.UNKNOWN]: "unknown",
};
