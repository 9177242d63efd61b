import { type Address, formatAddress, parseAddress } from "../base/address.ts";
import { isNodeName } from "../base/identity.ts";
import type { SettingReader } from "./setting_reader.ts";

/** A cluster of more would wait for acknowledgements all day. */
const MEMBERS_MAX = 32;
const NAME = "initial-cluster";

/** One of the members that a new cluster starts with. */
export interface FoundingMember {
  readonly name: string;
  /** What the other members dial. */
  readonly address: Address;
}

export interface OwnEntry {
  readonly node: string;
  readonly peerListen: Address;
  readonly peerAdvertise: Address | null;
}

/**
 * Reads the founding members, sorted by name: every member reads the same list
 * whatever order it was written in. `null` when the setting is not given.
 *
 * @throws {ConfigInvalidError}
 */
export function readInitialCluster(
  read: SettingReader,
  own: OwnEntry,
): readonly FoundingMember[] | null {
  const list = read.text(NAME, "", () => true);
  if (list === null) return null;
  const members = list.split(",").map((text) => {
    const member = parseMember(text);
    if (member !== null) return member;
    throw read.refusal(
      NAME,
      "a list of NAME=HOST:PORT, separated by commas",
    );
  });
  if (members.length > MEMBERS_MAX) {
    throw read.refusal(NAME, `a list of at most ${MEMBERS_MAX} members`);
  }
  const addresses = members.map(({ address }) => formatAddress(address));
  if (new Set(members.map(({ name }) => name)).size !== members.length) {
    throw read.refusal(NAME, "a list that names each member once");
  }
  if (new Set(addresses).size !== members.length) {
    throw read.refusal(NAME, "a list with another address for each member");
  }
  checkOwnEntry(read, members, own);
  return Object.freeze(
    members.toSorted((a, b) => a.name < b.name ? -1 : 1),
  );
}

function parseMember(text: string): FoundingMember | null {
  const cut = text.indexOf("=");
  const name = text.slice(0, cut);
  const address = parseAddress(text.slice(cut + 1));
  if (cut < 0 || !isNodeName(name) || address === null) return null;
  return address.port === 0 ? null : Object.freeze({ name, address });
}

/** Others would dial in vain where this node does not listen. */
function checkOwnEntry(
  read: SettingReader,
  members: readonly FoundingMember[],
  { node, peerListen, peerAdvertise }: OwnEntry,
): void {
  const own = members.find(({ name }) => name === node);
  if (own === undefined) {
    throw read.refusal(NAME, `a list that contains this node, "${node}"`);
  }
  const { address } = own;
  if (peerAdvertise !== null) {
    if (formatAddress(address) === formatAddress(peerAdvertise)) return;
    throw read.refusal(
      NAME,
      `a list in which "${node}" has its --peer-advertise address, ` +
        formatAddress(peerAdvertise),
    );
  }
  const isSamePort = address.port === peerListen.port;
  if (isSamePort && isAnyAddress(peerListen.hostname)) return;
  if (isSamePort && address.hostname === peerListen.hostname) return;
  throw read.refusal(
    NAME,
    `a list in which "${node}" has its --peer-listen address, ` +
      `${formatAddress(peerListen)}, unless --peer-advertise gives another`,
  );
}

/** Bound to every interface, it is dialled by any name of the machine. */
function isAnyAddress(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
