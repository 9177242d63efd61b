import { utf8 } from "../base/bytes.ts";
import { sha256 } from "../base/sha256.ts";
import type { Member } from "../fsm/types.ts";

/** A member of a new cluster: its name and what the others dial. */
export interface FoundingMember {
  readonly name: string;
  /** HOST:PORT. */
  readonly address: string;
}

/**
 * The members that found a cluster, with raft ids 1..n in order of their names
 * (formats.md), so that all of them give out the same ids.
 */
export function foundingMembers(
  cluster: readonly FoundingMember[],
): readonly Member[] {
  const byName = [...cluster].sort((a, b) => a.name < b.name ? -1 : 1);
  return byName.map(({ name, address }, position) => ({
    id: position + 1,
    name,
    peerAddress: address,
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  }));
}

/** 32 bytes that differ when two nodes were told of different clusters. */
export function foundingDigest(members: readonly Member[]) {
  const lines = members.map(({ id, name, peerAddress }) =>
    `${id} ${name} ${peerAddress}\n`
  );
  return sha256(utf8("sealkv founding v1\n" + lines.join("")));
}
