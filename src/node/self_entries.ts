import type { Bytes } from "../base/bytes.ts";
import { encodeAnnouncement, encodeClusterInit } from "../fsm/payload.ts";
import type { FsmState, Member } from "../fsm/types.ts";
import type { Random } from "../io/random.ts";
import { drawClusterId } from "./founding.ts";
import { PROTOCOL_VERSION } from "../transport/port.ts";
import type { Identity } from "./identity.ts";
import type { Addresses } from "./node_options.ts";

/** What a member knows of itself, and what is applied. */
export interface Self {
  readonly identity: Identity;
  /** HOST:PORT; "" when not known yet. */
  readonly peerAddress: string;
  readonly addresses: Addresses;
  readonly clusterName: string;
  readonly founders: readonly Member[];
  readonly fsm: FsmState;
}

/** Payload that founds the cluster; `null` once it has an id. */
export function clusterInitOf(
  { identity, peerAddress, clusterName, founders, fsm }: Self,
  random: Random,
): Bytes | null {
  if (fsm.clusterId !== null) return null;
  const id = drawClusterId(random);
  const members = founders.map((member) =>
    member.id === identity.id && peerAddress !== ""
      ? { ...member, peerAddress }
      : member
  );
  return encodeClusterInit(id, clusterName, members);
}

/**
 * Payload that tells the cluster of this member's disk and addresses; `null`
 * when the applied list says the same, or has no place for it.
 */
export function announcementOf(
  { identity, peerAddress, addresses, fsm }: Self,
): Bytes | null {
  const { id, name, diskId } = identity;
  const { client, admin } = addresses;
  const known = fsm.members.get(id);
  if (fsm.clusterId === null) return null;
  if (known === undefined && fsm.members.size > 0) return null;
  const isKnown = known !== undefined && known.diskId !== null &&
    known.protocolVersion === PROTOCOL_VERSION &&
    (peerAddress === "" || known.peerAddress === peerAddress) &&
    (client === "" || known.clientAddress === client) &&
    (admin === "" || known.adminAddress === admin);
  if (isKnown) return null;
  return encodeAnnouncement({
    id,
    name,
    peerAddress: peerAddress || (known?.peerAddress ?? ""),
    clientAddress: client || (known?.clientAddress ?? ""),
    adminAddress: admin || (known?.adminAddress ?? ""),
    diskId,
    protocolVersion: PROTOCOL_VERSION,
    promoteWhenCaughtUp: false,
  });
}
