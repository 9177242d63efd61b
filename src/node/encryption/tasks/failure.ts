/** Why a member cannot do its task: in words, for whoever asked for it. */
export class TaskFailure extends Error {
  override readonly name = "TaskFailure";
}
