import assert from "node:assert/strict";
import { fullNodeId, node16Of } from "../../../src/base/identity.ts";
import {
  type Member,
  writerId,
  type WriterRow,
} from "../../../src/fsm/types.ts";
import { NO_DIGEST } from "../../../src/node/identity.ts";
import { vetPeer, type VettingFacts } from "../../../src/node/vetting.ts";
import {
  type PeerIdentity,
  type PeerRefusal,
  PROTOCOL_VERSION,
} from "../../../src/transport/port.ts";
import { memberOf } from "../store/store_model.ts";

const CLUSTER = new Uint8Array(16).fill(1);
const OTHER_CLUSTER = new Uint8Array(16).fill(2);
const FOUNDING = new Uint8Array(32).fill(3);
const OTHER_FOUNDING = new Uint8Array(32).fill(4);
const DISK = new Uint8Array(16).fill(5);
const OTHER_DISK = new Uint8Array(16).fill(6);
const APPLIED = 100;

function identity(id: number, given: Partial<PeerIdentity> = {}): PeerIdentity {
  return {
    clusterId: CLUSTER,
    name: `n${id}`,
    id,
    address: `n${id}:1`,
    diskId: DISK,
    protocolVersion: PROTOCOL_VERSION,
    foundingDigest: FOUNDING,
    epochs: [],
    ...given,
  };
}

const INITIAL = [1, 2, 3].map((id) => memberOf(id));

/** A founder that has applied nothing. */
const FOUNDING_FACTS: VettingFacts = {
  own: identity(1, { clusterId: null }),
  applied: 2,
  members: new Map(),
  initial: INITIAL,
  writers: new Map(),
};

/** A node let in by a grant, which has applied nothing. */
const JOINING: VettingFacts = {
  own: identity(9, { foundingDigest: NO_DIGEST }),
  applied: 0,
  members: new Map(),
  initial: INITIAL,
  writers: new Map(),
};

/** A node that joins without a grant's list. */
const UNLISTED: VettingFacts = { ...JOINING, initial: [] };

/** A founder in a founded cluster. */
const FOUNDED: VettingFacts = {
  own: identity(1),
  applied: APPLIED,
  members: new Map(
    [{ ...memberOf(1) }, { ...memberOf(2), diskId: DISK }, memberOf(3)]
      .map((member): [number, Member] => [member.id, member]),
  ),
  initial: INITIAL,
  writers: new Map(),
};

/** A member that joined it. */
const JOINED: VettingFacts = {
  ...FOUNDED,
  own: identity(9, { foundingDigest: NO_DIGEST }),
  members: new Map(FOUNDED.members).set(9, memberOf(9)),
  initial: [],
};

type Row = [
  name: string,
  facts: VettingFacts,
  claim: PeerIdentity,
  refusal: PeerRefusal | null,
];

const NEW = { clusterId: null } as const;
const JOINER = { foundingDigest: NO_DIGEST } as const;

const ROWS: Row[] = [
  // Founders among themselves.
  ["a co-founder", FOUNDING_FACTS, identity(2, NEW), null],
  [
    "a founder told of others",
    FOUNDING_FACTS,
    identity(2, { ...NEW, foundingDigest: OTHER_FOUNDING }),
    "wrong-founding",
  ],
  [
    "a joiner without a cluster, of a founder",
    FOUNDING_FACTS,
    identity(2, { ...NEW, ...JOINER }),
    "wrong-founding",
  ],
  [
    "a founder no one named",
    FOUNDING_FACTS,
    identity(4, NEW),
    "unknown-member",
  ],
  [
    "a founder under another's id",
    FOUNDING_FACTS,
    identity(2, { ...NEW, name: "n3" }),
    "wrong-name",
  ],
  [
    "our own id",
    FOUNDING_FACTS,
    identity(1, { ...NEW, name: "n2" }),
    "wrong-name",
  ],
  [
    "our own name",
    FOUNDING_FACTS,
    identity(2, { ...NEW, name: "n1" }),
    "wrong-name",
  ],
  ["ourselves", FOUNDING_FACTS, identity(1, NEW), "wrong-name"],
  ["a founder that is further", FOUNDING_FACTS, identity(2), null],
  [
    "a member that joined before we began",
    FOUNDING_FACTS,
    identity(50, JOINER),
    null,
  ],
  // Those that join.
  ["a member of the grant's list", JOINING, identity(2), null],
  ["one newer than the grant", JOINING, identity(50, JOINER), null],
  [
    "another cluster, while joining",
    JOINING,
    identity(2, { clusterId: OTHER_CLUSTER }),
    "wrong-cluster",
  ],
  [
    "a founder without a cluster, while joining",
    JOINING,
    identity(2, NEW),
    "wrong-founding",
  ],
  ["anyone, while nobody is known", UNLISTED, identity(2), null],
  ["anyone without a cluster yet", UNLISTED, identity(2, NEW), null],
  // A founded cluster.
  ["a member", FOUNDED, identity(2), null],
  ["a member whose disk is not known yet", FOUNDED, identity(3), null],
  [
    "a member with another disk",
    FOUNDED,
    identity(2, { diskId: OTHER_DISK }),
    "wrong-disk",
  ],
  [
    "a member under another name",
    FOUNDED,
    identity(2, { name: "n7" }),
    "wrong-name",
  ],
  [
    "another cluster",
    FOUNDED,
    identity(2, { clusterId: OTHER_CLUSTER }),
    "wrong-cluster",
  ],
  ["a founder that is behind", FOUNDED, identity(3, NEW), null],
  [
    "a founder that is behind, of another founding",
    FOUNDED,
    identity(3, { ...NEW, foundingDigest: OTHER_FOUNDING }),
    "wrong-founding",
  ],
  [
    "a founder of another founding that knows the cluster",
    FOUNDED,
    identity(3, { foundingDigest: OTHER_FOUNDING }),
    null,
  ],
  [
    "a founder that is behind with another disk",
    FOUNDED,
    identity(2, { ...NEW, diskId: OTHER_DISK }),
    "wrong-disk",
  ],
  ["one that was removed", FOUNDED, identity(50, JOINER), "removed-member"],
  ["the last id we know of", FOUNDED, identity(APPLIED), "removed-member"],
  ["the first id we do not know of", FOUNDED, identity(APPLIED + 1), null],
  [
    "one to come without a cluster",
    FOUNDED,
    identity(APPLIED + 1, NEW),
    "unknown-member",
  ],
  ["our id in a founded cluster", FOUNDED, identity(1), "wrong-name"],
  // A member that joined knows no founding to compare.
  ["a founder, of one that joined", JOINED, identity(2), null],
  [
    "a founder that is behind, of one that joined",
    JOINED,
    identity(3, { ...NEW, foundingDigest: OTHER_FOUNDING }),
    null,
  ],
];

for (const [name, facts, claim, refusal] of ROWS) {
  Deno.test(`vetPeer() ${refusal ?? "lets in"}: ${name}`, () => {
    assert.equal(vetPeer(claim, facts), refusal);
  });
}

const KEY = 77;

/** A row of `name`, or of another node with the same low 16 bits. */
function rowOf(
  name: string,
  lastEpoch: number,
  other = 0n,
): readonly [string, WriterRow] {
  const full = fullNodeId(name);
  const node16 = node16Of(full);
  return [writerId(KEY, node16), {
    keyId: KEY,
    node16,
    fullNodeId: full ^ (other << 16n),
    firstEpoch: 1,
    lastEpoch,
  }];
}

const EPOCH_ROWS: [
  name: string,
  rows: readonly (readonly [string, WriterRow])[],
  epochs: PeerIdentity["epochs"],
  refusal: PeerRefusal | null,
][] = [
  ["a later session than known", [rowOf("n2", 4)], [
    { keyId: KEY, epoch: 5 },
  ], null],
  ["the session known", [rowOf("n2", 4)], [{ keyId: KEY, epoch: 4 }], null],
  ["an earlier session", [rowOf("n2", 4)], [
    { keyId: 3, epoch: 9 },
    { keyId: KEY, epoch: 3 },
  ], "epoch-rollback"],
  ["no word of the key", [rowOf("n2", 4)], [{ keyId: 3, epoch: 1 }], null],
  ["no epochs", [rowOf("n2", 4)], [], null],
  ["an earlier session of another member", [rowOf("n3", 4)], [
    { keyId: KEY, epoch: 1 },
  ], null],
  ["an earlier session of one with equal low bits", [rowOf("n2", 4, 1n)], [
    { keyId: KEY, epoch: 1 },
  ], null],
];

for (const [name, rows, epochs, refusal] of EPOCH_ROWS) {
  Deno.test(`vetPeer() ${refusal ?? "lets in"}: ${name}`, () => {
    const facts = { ...FOUNDED, writers: new Map(rows) };
    assert.equal(vetPeer(identity(2, { epochs }), facts), refusal);
    const disk = { epochs, diskId: OTHER_DISK };
    assert.equal(vetPeer(identity(2, disk), facts), "wrong-disk");
    // One that is not in the list yet is judged by its name too.
    const joined = { ...identity(APPLIED + 1, { epochs }), name: "n2" };
    assert.equal(vetPeer(joined, facts), refusal);
  });
}

for (const facts of [FOUNDING_FACTS, JOINING, UNLISTED, FOUNDED, JOINED]) {
  for (const version of [0, PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1]) {
    Deno.test(`vetPeer() refuses version ${version} first, of n${facts.own.id}`, () => {
      const claim = identity(2, {
        protocolVersion: version,
        clusterId: OTHER_CLUSTER,
      });
      assert.equal(vetPeer(claim, facts), "wrong-version");
    });
  }
}
