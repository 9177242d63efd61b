import { type Bytes, equalBytes } from "../base/bytes.ts";
import type { Disk } from "../io/disk.ts";
import type { Random } from "../io/random.ts";
import type { Member } from "../fsm/types.ts";
import type { ConfState, SnapshotMetadata } from "../raft/types.ts";
import {
  foundingDigest,
  type FoundingMember,
  foundingMembers,
} from "./founding.ts";
import {
  drawIdentity,
  type Identity,
  NO_DIGEST,
  readIdentity,
  writeIdentity,
} from "./identity.ts";
import { IdentityDamagedError } from "./errors.ts";
import {
  AlreadyFoundedError,
  JoinRefusedError,
  WrongNodeError,
} from "./member_errors.ts";
import type { Beginnings } from "./node_options.ts";

/** What a running cluster lets a node join it as. */
export interface JoinGrant {
  /** 16 bytes. */
  readonly clusterId: Bytes;
  /** Raft id that the cluster gave the node's name. */
  readonly id: number;
  /** Members as the cluster listed them. */
  readonly members: readonly Member[];
}

/** How a data dir that is new begins. */
export interface BeginOptions {
  readonly name: string;
  /** Members of a new cluster, this one among them; `null` for it alone. */
  readonly initialCluster: readonly FoundingMember[] | null;
  /** Asked only for a new data dir; `null` founds instead. */
  readonly join: (() => Promise<JoinGrant>) | null;
  /** What other members dial, HOST:PORT; "" when not known yet. */
  readonly peerAddress: string;
}

/** What is in the data dir. */
export interface FoundDataDir {
  readonly hasLog: boolean;
  /** Ids of the store's state, in any role. */
  readonly storedMembers: readonly number[];
}

/** Who the node is, and what its log starts with if there is none. */
export interface Beginning {
  readonly identity: Identity;
  readonly beginnings: Beginnings;
  readonly founding: SnapshotMetadata;
}

/** Where the log of a new cluster begins; upstream's tests start here too. */
const FOUNDING_INDEX = 2;
export const FOUNDING_TERM = 1;

/** The only member of a cluster founded before there were identity files. */
const LONE_FOUNDER = 1;

/**
 * Reads who the node of a data dir is, or makes it somebody, durably and before
 * anything else is there.
 *
 * @throws {WrongNodeError} The data dir is of another name.
 * @throws {NodeError} What a join was refused with.
 */
export async function begin(
  ports: { readonly disk: Disk; readonly random: Random },
  path: string,
  options: BeginOptions & FoundDataDir,
): Promise<Beginning> {
  const { name, initialCluster, join, peerAddress, hasLog } = options;
  const founders = foundingMembers(
    initialCluster ?? [{ name, address: peerAddress }],
  );
  const known = await readIdentity(ports.disk, path);
  if (known !== null) {
    if (known.name !== name) throw new WrongNodeError(name, known.name);
    mustNotBeAlone(known, founders, options);
    if (hasLog) return beginningOf(known, founders, null);
    // A start cut short, or a log that was taken away: then it must not pass
    // for the disk that the cluster knows.
    const grant = await joinAgain(known, options);
    const identity = drawIdentity(ports.random, known);
    await writeIdentity(ports.disk, path, identity);
    return beginningOf(identity, founders, grant);
  }
  if (hasLog && !isLoneFounder(options.storedMembers)) {
    throw new IdentityDamagedError(path);
  }
  mustNotBeAlone({ id: LONE_FOUNDER, foundingDigest: null }, founders, options);
  const grant = join === null || hasLog ? null : await join();
  const own = founders.find((member) => member.name === name);
  const id = hasLog ? LONE_FOUNDER : grant?.id ?? own?.id;
  if (id === undefined) {
    throw new JoinRefusedError(name, "no initial member has this name");
  }
  const digest = grant === null ? foundingDigest(founders) : NO_DIGEST;
  const identity = drawIdentity(ports.random, {
    name,
    id,
    foundingDigest: digest,
  });
  await writeIdentity(ports.disk, path, identity);
  return beginningOf(identity, founders, grant);
}

/**
 * A data dir that founded a cluster of its own belongs to no other: it would
 * serve its old data alone while the others found theirs without it.
 *
 * @throws {AlreadyFoundedError}
 */
function mustNotBeAlone(
  { id, foundingDigest: digest }: {
    readonly id: number;
    /** `null` when it is not known. */
    readonly foundingDigest: Uint8Array | null;
  },
  founders: readonly Member[],
  { name, join, storedMembers }: BeginOptions & FoundDataDir,
): void {
  const isAlone = storedMembers.length > 0 &&
    storedMembers.every((member) => member === id);
  const hasJoined = digest?.every((byte) => byte === 0) === true;
  if (!isAlone || hasJoined) return;
  const isFounder = digest !== null &&
    equalBytes(digest, foundingDigest(founders));
  if (join !== null || (founders.length > 1 && !isFounder)) {
    throw new AlreadyFoundedError(name);
  }
}

/** A start cut short between identity and log has to ask once more. */
async function joinAgain(
  { id, name, foundingDigest }: Identity,
  { join }: BeginOptions,
): Promise<JoinGrant | null> {
  if (foundingDigest.some((byte) => byte !== 0)) return null;
  const grant = await join?.() ?? null;
  if (grant === null) throw new JoinRefusedError(name, "--join is not given");
  if (grant.id === id) return grant;
  throw new JoinRefusedError(name, `it has raft id ${grant.id} by now`);
}

/** Nothing is applied yet, or by one voter alone: a learner is not it. */
function isLoneFounder(members: readonly number[]): boolean {
  return members.every((id) => id === LONE_FOUNDER);
}

function beginningOf(
  identity: Identity,
  founders: readonly Member[],
  grant: JoinGrant | null,
): Beginning {
  const isFounder = identity.foundingDigest.some((byte) => byte !== 0);
  if (isFounder) {
    const voters = founders.map(({ id }) => id);
    return {
      identity,
      beginnings: { members: founders, clusterId: null },
      founding: {
        index: FOUNDING_INDEX,
        term: FOUNDING_TERM,
        confState: { ...NOBODY, voters },
      },
    };
  }
  return {
    identity,
    beginnings: {
      members: grant?.members ?? [],
      clusterId: grant?.clusterId ?? null,
    },
    founding: { index: 0, term: 0, confState: NOBODY },
  };
}

const NOBODY: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};
