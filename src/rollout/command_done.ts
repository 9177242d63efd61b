import type {
  AdminClient,
  ClusterEncryption,
  ClusterRollout,
} from "../admin/client.ts";
import { unreachable } from "../base/assert.ts";
import type { ChangeCommand } from "./command.ts";

/** The cluster as it was before a command was asked for. */
export interface Before {
  /** Of the member that had applied most. */
  readonly encryption: ClusterEncryption;
  readonly rollout: ClusterRollout;
  /** Of its leader. */
  readonly term: bigint;
}

/** @throws {NodeError} When no member answers. */
export async function lookBefore(client: AdminClient): Promise<Before> {
  const [members, rollout, { term }] = await Promise.all([
    client.encryptionOfMembers(),
    client.rollout(),
    client.getStatus(),
  ]);
  const furthest = members.map(({ encryption }) => encryption)
    .filter((encryption) => encryption !== null)
    .reduce<ClusterEncryption | null>(
      (first, one) =>
        first === null || one.applied > first.applied ? one : first,
      null,
    );
  const encryption = furthest ?? await client.encryptionState();
  return { encryption, rollout, term };
}

/**
 * Asks the cluster, and nobody again to do it, whether what `command` is for is
 * so by now: index of the entry that did it, 0 where nothing tells it, `null`
 * when it is not so.
 *
 * @throws {NodeError} When no member answers.
 */
export async function doneNow(
  client: AdminClient,
  command: ChangeCommand,
  before: Before,
): Promise<bigint | null> {
  if (isOfState(command)) {
    // Applied by one, it is committed: others may be behind, or cut off.
    const members = await client.encryptionOfMembers();
    return members.map(({ encryption }) =>
      encryption === null ? null : doneIn(encryption, command, before)
    ).find((index) => index !== null) ?? null;
  }
  if (command.kind === "scrub") return await scrubbedAt(client, before);
  return doneInRollout(await client.rollout(), command, before);
}

export type StateCommand = Extract<
  ChangeCommand,
  {
    kind:
      | "enable-storage-envelope"
      | "seal-cleartext"
      | "enable-raft-envelope"
      | "rotate-dek"
      | "retire-dek";
  }
>;

const OF_STATE: readonly ChangeCommand["kind"][] = [
  "enable-storage-envelope",
  "seal-cleartext",
  "enable-raft-envelope",
  "rotate-dek",
  "retire-dek",
];

/** Tells whether each member shows for itself that it has applied it. */
export function isOfState(command: ChangeCommand): command is StateCommand {
  return OF_STATE.includes(command.kind);
}

/** The same as one member's state shows it. */
export function doneIn(
  encryption: ClusterEncryption,
  command: StateCommand,
  before: Before,
): bigint | null {
  switch (command.kind) {
    case "enable-storage-envelope":
      return indexOf(encryption.storageCutoverIndex);
    case "seal-cleartext":
      return indexOf(encryption.cleartextLockIndex);
    case "enable-raft-envelope":
      return indexOf(encryption.raftCutoverIndex);
    case "rotate-dek": {
      const active = activeKey(encryption, command.purpose);
      const old = activeKey(before.encryption, command.purpose);
      if (active === undefined || active.id === old?.id) return null;
      return active.createdIndex > before.encryption.applied
        ? active.createdIndex
        : null;
    }
    case "retire-dek":
      return encryption.retired.includes(command.keyId) ? 0n : null;
    default:
      return unreachable(command);
  }
}

function indexOf(index: bigint): bigint | null {
  return index === 0n ? null : index;
}

function activeKey({ keys }: ClusterEncryption, purpose: string) {
  return keys.find((key) => key.isActive && key.purpose === purpose);
}

/** Only the history tells it: a scrub leaves nothing. */
async function scrubbedAt(
  client: AdminClient,
  { encryption }: Before,
): Promise<bigint | null> {
  const event = (await client.events()).findLast(({ action, result, index }) =>
    action === "scrub" && result === "done" && index > encryption.applied
  );
  return event?.index ?? null;
}

type RolloutCommand = Exclude<ChangeCommand, StateCommand | { kind: "scrub" }>;

function doneInRollout(
  { rewrite, dwellUntilMs }: ClusterRollout,
  command: RolloutCommand,
  before: Before,
): bigint | null {
  if (command.kind === "update-rollout") {
    return dwellUntilMs === BigInt(command.dwellUntilMs) ? 0n : null;
  }
  if (rewrite === null) return null;
  switch (command.kind) {
    case "start-rewrite":
      return rewrite.id === before.rollout.rewrite?.id ? null : rewrite.id;
    case "pause-rewrite":
      return rewrite.isPaused ? rewrite.id : null;
    case "resume-rewrite": {
      const { bytesPerSecond: rate } = command;
      const isSo = !rewrite.isPaused &&
        (rate === null || rewrite.bytesPerSecond === BigInt(rate));
      return isSo ? rewrite.id : null;
    }
    default:
      return null;
  }
}
