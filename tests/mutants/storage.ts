import type { Mutant } from "./mutant.ts";

/** Mutants of storage, checkpoints and applying. */
export const STORAGE: readonly Mutant[] = [
  {
    name: "old answer of the disk still counts",
    file: "step.ts",
    find: "    if (message.snapshot !== null) onSnapshotInstalled(",
    replace:
      "    if (message.index !== 0) onStorageAppended(state, message);\n" +
      "    if (message.snapshot !== null) onSnapshotInstalled(",
  },
  {
    name: "old answer about a checkpoint is dropped",
    file: "step.ts",
    find: "    if (message.snapshot !== null) " +
      "onSnapshotInstalled(state, message.snapshot);\n",
    replace: "",
  },
  {
    name: "disk answers only for what it was given",
    file: "ready.ts",
    find: "const hasEntries = entryLog.unstable.length > 0;",
    replace: "const hasEntries = entryLog.unstable.length > 0 && " +
      "state.afterAppend.length > 0;",
  },
  {
    name: "applies what is not durable",
    file: "log.ts",
    find: ": Math.min(this.committed, this.unstable.offset - 1);",
    replace: ": this.committed;",
  },
  {
    name: "applies below a pending checkpoint",
    file: "log.ts",
    find: "return !this.#applyingPaused && !this.hasPendingSnapshot() &&",
    replace: "return !this.#applyingPaused &&",
  },
  {
    name: "budget of applying is ignored",
    file: "log.ts",
    find:
      "this.#applyingPaused = this.#applyingBytes >= this.#applyBytesMax ||" +
      "\n      index < this.maxAppliable(allowUnstable);",
    replace: "this.#applyingPaused = false;",
  },
  {
    name: "page of a change check is skipped",
    file: "log.ts",
    find: "      at += page.length;\n",
    replace: "      at = until;\n",
  },
  {
    name: "truncation forgets what has to be written again",
    file: "unstable.ts",
    find:
      "      this.offsetInProgress = Math.min(this.offsetInProgress, first);",
    replace: "",
  },
  {
    name: "replacement forgets what has to be written again",
    file: "unstable.ts",
    find: "      this.offset = first;\n      this.offsetInProgress = first;",
    replace: "      this.offset = first;",
  },
  {
    name: "durable entries of another term count",
    file: "unstable.ts",
    find: "    if (held !== term) {",
    replace: "    if (held < 0) {",
  },
  {
    name: "answer about a replaced checkpoint counts",
    file: "unstable.ts",
    find: "    if (this.snapshot?.metadata.index !== index) return;\n",
    replace: "",
  },
  {
    name: "checkpoint keeps the old tail",
    file: "unstable.ts",
    find: "    this.#entries = [];\n    this.snapshot = snapshot;",
    replace: "    this.snapshot = snapshot;",
  },
  {
    name: "checkpoint for others is restored",
    file: "snapshot.ts",
    find: "  if (!isMember(confState, state.id)) {",
    replace: "  if (index < 0) {",
  },
  {
    name: "known checkpoint restarts the log",
    file: "snapshot.ts",
    find: "  if (entryLog.matchTerm(index, term)) {",
    replace: "  if (index < 0) {",
  },
  {
    name: "old checkpoint is restored",
    file: "snapshot.ts",
    find: "  if (index <= entryLog.committed) return false;\n",
    replace: "",
  },
  {
    name: "checkpoint keeps the old members",
    file: "snapshot.ts",
    find: "  const refusal = restoreConfig(state, confState);",
    replace: "  const refusal = restoreConfig(state, state.membership.config);",
  },
  {
    name: "sync does not look at the vote",
    file: "ready.ts",
    find: "return entries.length > 0 || prior.term !== next.term ||\n" +
      "    prior.vote !== next.vote;",
    replace: "return entries.length > 0 || prior.term !== next.term;",
  },
  {
    name: "sync does not look at entries",
    file: "ready.ts",
    find: "return entries.length > 0 || prior.term !== next.term ||",
    replace: "return prior.term !== next.term ||",
  },
  {
    name: "checkpoint needs no sync (D6)",
    file: "core.ts",
    find: "const syncs = snapshot !== null ||\n      mustSync(",
    replace: "const syncs =\n      mustSync(",
  },
  {
    name: "promise leaves beside its own write",
    file: "core.ts",
    find: "const canLeave = !syncs && this.#syncsPending === 0;",
    replace: "const canLeave = this.#syncsPending === 0;",
  },
  {
    name: "promise leaves beside an earlier write",
    file: "core.ts",
    find: "const canLeave = !syncs && this.#syncsPending === 0;",
    replace: "const canLeave = !syncs;",
  },
  {
    name: "empty outbox stays in use",
    file: "ready.ts",
    find: "    state.afterAppend = [];\n",
    replace: "    if (state.afterAppend.length > 0) state.afterAppend = [];\n",
  },
  {
    name: "stored commit is taken as it is (D4)",
    file: "start.ts",
    find: "const commit = Math.max(stored.commit, base, snapshot, applied);",
    replace: "const commit = Math.max(stored.commit, base);",
  },
  {
    name: "refusal of an unknown peer's answer is missing",
    file: "raw_node.ts",
    find: "    !state.membership.progress.has(from)\n",
    replace: "    from < -9\n",
  },
  {
    name: "refusal of a local message is missing",
    file: "raw_node.ts",
    find: 'if (isLocalMessage(type) && !isOwnThread) return "local-message";',
    replace: "",
  },
];
