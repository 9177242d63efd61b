import { type Bytes, utf8 } from "../base/bytes.ts";
import { CLUSTER_ID_BYTES } from "../base/identity.ts";
import { sha256 } from "../base/sha256.ts";
import type { Member } from "../fsm/types.ts";
import type { Random } from "../io/random.ts";

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

/** An id that no other cluster has. */
export function drawClusterId(random: Random): Bytes {
  const id = random.bytes(CLUSTER_ID_BYTES);
  // Version 4, variant 1: the id is shown as a UUID (RFC 9562 §5.4).
  id[6] = (id[6] as number) & 0x0f | 0x40;
  id[8] = (id[8] as number) & 0x3f | 0x80;
  return id;
}

/** 32 bytes that differ when two nodes were told of different clusters. */
export function foundingDigest(members: readonly Member[]) {
  const lines = members.map(({ id, name, peerAddress }) =>
    `${id} ${name} ${peerAddress}\n`
  );
  return sha256(utf8("sealkv founding v1\n" + lines.join("")));
}
