import { equalBytes } from "../base/bytes.ts";
import { fullNodeId, node16Of } from "../base/identity.ts";
import {
  type Member,
  type MemberId,
  type WriterId,
  writerId,
  type WriterRow,
} from "../fsm/types.ts";
import type { LogIndex } from "../raft/types.ts";
import {
  type PeerIdentity,
  type PeerRefusal,
  PROTOCOL_VERSION,
} from "../transport/port.ts";

/** What a member knows when another one says who it is. */
export interface VettingFacts {
  readonly own: PeerIdentity;
  readonly applied: LogIndex;
  /** The applied list; empty before cluster-init. */
  readonly members: ReadonlyMap<MemberId, Member>;
  /** Who is expected before there is a list; empty for a node that joins. */
  readonly initial: readonly Member[];
  /** The applied registry. */
  readonly writers: ReadonlyMap<WriterId, WriterRow>;
}

/**
 * Why a member whose token is proven must not be talked to; `null` if it may.
 *
 * One that the list does not have yet is let in when its id is above what is
 * applied here: only it may have the entry that adds it.
 */
export function vetPeer(
  claim: PeerIdentity,
  facts: VettingFacts,
): PeerRefusal | null {
  const refusal = vetIdentity(claim, facts);
  if (refusal !== null) return refusal;
  return isRolledBack(claim, facts.writers) ? "epoch-rollback" : null;
}

/**
 * Its data dir was put back: it has begun later sessions than it knows of, and
 * may have forgotten votes with them. A key that it does not name proves
 * nothing: it may not have it yet.
 */
function isRolledBack(
  { name, epochs }: PeerIdentity,
  writers: ReadonlyMap<WriterId, WriterRow>,
): boolean {
  const id = fullNodeId(name);
  return epochs.some(({ keyId, epoch }) => {
    const row = writers.get(writerId(keyId, node16Of(id)));
    return row?.fullNodeId === id && row.lastEpoch > epoch;
  });
}

function vetIdentity(
  claim: PeerIdentity,
  facts: VettingFacts,
): PeerRefusal | null {
  const { own, applied, members, initial } = facts;
  if (claim.protocolVersion !== PROTOCOL_VERSION) return "wrong-version";
  if (own.clusterId !== null && claim.clusterId !== null) {
    if (!equalBytes(own.clusterId, claim.clusterId)) return "wrong-cluster";
  } else if (members.size === 0 && initial.length > 0) {
    // One side at least has not seen the founding: they agree on it or not.
    if (
      claim.clusterId === null &&
      !equalBytes(own.foundingDigest, claim.foundingDigest)
    ) return "wrong-founding";
  }
  if (claim.id === own.id || claim.name === own.name) return "wrong-name";
  if (members.size === 0) {
    if (initial.length === 0 || claim.clusterId !== null) return null;
    const expected = initial.find(({ id }) => id === claim.id);
    if (expected === undefined) return "unknown-member";
    return expected.name === claim.name ? null : "wrong-name";
  }
  const member = members.get(claim.id);
  if (member === undefined) {
    if (claim.id <= applied) return "removed-member";
    return claim.clusterId === null ? "unknown-member" : null;
  }
  if (member.name !== claim.name) return "wrong-name";
  if (
    claim.clusterId === null &&
    own.foundingDigest.some((byte) => byte !== 0) &&
    !equalBytes(own.foundingDigest, claim.foundingDigest)
  ) return "wrong-founding";
  if (member.diskId !== null && !equalBytes(member.diskId, claim.diskId)) {
    return "wrong-disk";
  }
  return null;
}
