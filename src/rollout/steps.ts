import type { StepFacts, StepId } from "./step.ts";

/** What never changes about the steps; texts for people, as sentences. */
export const STEP_FACTS: Readonly<Record<StepId, StepFacts>> = {
  capability: {
    id: "capability",
    title: "Key on every node",
    isOneWay: false,
    does:
      "Every member is started with --encryption-enabled and the same KEK, and proves that it can open what the others wrap under it. Nothing is sealed yet.",
    undo: "Restart a member without the two flags, until the storage cutover.",
    noticed: "Nothing, but for each member's restart, one at a time.",
  },
  storage: {
    id: "storage",
    title: "Storage cutover",
    isOneWay: true,
    does:
      "The first data keys are drawn, and from one entry on every member seals each value that is written to its store. Older values stay as they are until the rewrite.",
    undo:
      "Not at all: from then on the cluster needs its KEK for life. The way back is to copy the data into a new cluster.",
    noticed: "Nothing: reads take both forms, and no write waits.",
  },
  rewrite: {
    id: "rewrite",
    title: "Dwell and rewrite",
    isOneWay: false,
    does:
      "Every member seals anew, in the background, each value that is cleartext or under an older key. A dwell holds back the one-way steps after it for as long as wanted.",
    undo:
      "Pause it at any time, and go on later; no work is lost. What is sealed stays sealed.",
    noticed: "Some disk and CPU load, bounded by the rate; writes come first.",
  },
  seal: {
    id: "seal",
    title: "Seal cleartext",
    isOneWay: true,
    does:
      "Every member counts that it has no cleartext value left. From then on each takes one for damage and refuses it.",
    undo: "Not at all.",
    noticed: "Nothing, but for the reads of the count.",
  },
  raft: {
    id: "raft",
    title: "Raft cutover",
    isOneWay: true,
    does:
      "The leader lets writes wait until all before is applied, and from the next entry on the log is sealed too, on disk and on its way.",
    undo: "Not at all: the log cannot be read without its keys.",
    noticed: "Writes wait for about one commit; none fails for it.",
  },
  scrub: {
    id: "scrub",
    title: "Scrub and verify",
    isOneWay: false,
    does:
      "Every member copies its store into a new file and removes the old one, older checkpoints and every log file of before, then counts what it has.",
    undo: "There is nothing to undo: no data is changed.",
    noticed:
      "A short pause of each member, the leader last; each needs room for its store once more.",
  },
  rotate: {
    id: "rotate",
    title: "Rotate data keys",
    isOneWay: false,
    does:
      "The leader draws a new storage and a new raft key, and what is written from then on is sealed under them. A rewrite in force moves older values over.",
    undo: "Rotate again; a key that was replaced never becomes active again.",
    noticed: "Nothing.",
  },
  retire: {
    id: "retire",
    title: "Retire old keys",
    isOneWay: true,
    does:
      "Every member shows that nothing is left that the old key sealed; then the cluster forgets the key for ever.",
    undo:
      "Not at all: copies elsewhere that only the old key opens are lost, but for backups, which carry it wrapped.",
    noticed: "Nothing, but for the reads of the count.",
  },
};
