import assert from "node:assert/strict";
import type { ClusterMember } from "../../../../src/admin/client.ts";
import { RemoteError } from "../../../../src/admin/errors.ts";
import type {
  DataDirRebuild,
  RebuildRecord,
} from "../../../../src/app/rebuild.ts";
import { DataDirLockedError } from "../../../../src/node/errors.ts";
import {
  clusterOf,
  DOWN,
  FOLLOWER,
  FRESH,
  LEADER,
  PLAN_HASH,
  planned,
} from "../cluster.ts";
import {
  type AskedChange,
  type Outcome,
  runIn,
  type World,
} from "../fake_services.ts";

const RECORD: RebuildRecord = {
  node: "n3",
  peerAddress: "10.0.0.3:4513",
  promote: true,
};
const ARGS = ["member", "rebuild", "n3", "--data-dir", "/d"];
const CONFIRM = ["--confirm", "prod-eu-1"];
const START = "start it, with its other settings: sealkv serve --node n3 " +
  "--data-dir /d --peer-listen 10.0.0.3:4513 --join 127.0.0.1:4514";
/** n3 under its new id, not started. */
const NEW = { ...FRESH, name: "n3", peerAddress: RECORD.peerAddress };

interface Scene {
  readonly member: ClusterMember | null;
  readonly record?: RebuildRecord;
  readonly change?: World["change"];
  readonly names?: readonly string[];
}

/** Everything that a rebuild did, in order. */
async function rebuild(
  scene: Scene,
  ...args: string[]
): Promise<Outcome & { readonly did: string[] }> {
  const did: string[] = [];
  const note = (what: string) => {
    did.push(what);
    return Promise.resolve();
  };
  const local: DataDirRebuild = {
    record: scene.record ?? null,
    names: scene.names ?? ["raft", "store.sqlite"],
    oldSuffix: ".old-20260731T235959Z",
    begin: (record) => note(`begin ${record.peerAddress} ${record.promote}`),
    moveAside: () => note("move aside"),
    deleteOld: () => note("delete"),
    finish: () => note("finish"),
    close: () => note("close"),
  };
  const members = [
    LEADER,
    FOLLOWER,
    ...scene.member === null ? [] : [scene.member],
  ];
  const outcome = await runIn(
    {
      statuses: [clusterOf(...members)],
      openRebuild: ({ dataDir, node }) => {
        did.push(`open ${dataDir} of ${node}`);
        return Promise.resolve(local);
      },
      change(asked) {
        did.push(textOf(asked));
        return (scene.change ?? planned)(asked);
      },
    },
    ...ARGS,
    ...args,
  );
  return { ...outcome, did };
}

function textOf({ kind, member, options }: AskedChange): string {
  const whom = typeof member === "string"
    ? member
    : `${member.name} ${member.peerAddress} ${member.promote}`;
  const flags = [
    ...options.dryRun ? ["dry"] : [],
    ...options.planHash ? [options.planHash] : [],
    ...options.confirm ? [options.confirm] : [],
    ...options.accept ?? [],
  ];
  return [kind, whom, ...flags].join(" ");
}

Deno.test("member rebuild removes, adds, moves aside, and says how to start", async () => {
  const { code, out, did } = await rebuild({ member: DOWN }, ...CONFIRM);
  assert.equal(code, 0);
  assert.deepEqual(did, [
    "open /d of n3",
    "remove n3 dry",
    "begin 10.0.0.3:4513 true",
    "remove n3 prod-eu-1",
    "add n3 10.0.0.3:4513 true",
    "move aside",
    "finish",
    "close",
  ]);
  assert.equal(
    out,
    `plan ${PLAN_HASH}
  1. remove it
  2. add n3 at 10.0.0.3:4513 as a new learner, a voter when it has caught up
  3. rename raft, store.sqlite in /d: append .old-20260731T235959Z
  4. ${START}
done
`,
  );
});

Deno.test("member rebuild --dry-run changes nothing", async () => {
  const { code, out, did } = await rebuild({ member: DOWN }, "--dry-run");
  assert.equal(code, 0);
  assert.match(out, /nothing was changed; to do this: --plan/);
  assert.deepEqual(did, ["open /d of n3", "remove n3 dry", "close"]);
});

Deno.test("member rebuild hands risk and plan on, and deletes when told", async () => {
  const { did } = await rebuild(
    { member: DOWN },
    ...CONFIRM,
    ...["--accept-quorum-loss", "--delete-old", "--plan", PLAN_HASH],
    ...["--peer", "new:1"],
  );
  assert.deepEqual(did.slice(1, -1), [
    `remove n3 dry ${PLAN_HASH} quorum-loss`,
    "begin new:1 true",
    `remove n3 ${PLAN_HASH} prod-eu-1 quorum-loss`,
    "add n3 new:1 true",
    "delete",
    "finish",
  ]);
});

Deno.test("member rebuild of a learner leaves it a learner", async () => {
  const learner = { ...DOWN, isVoter: false, role: "learner" } as const;
  const { did } = await rebuild({ member: learner }, ...CONFIRM);
  assert.ok(did.includes("add n3 10.0.0.3:4513 false"), did.join("\n"));
});

/** Wherever the first run was cut short, the second does what is left. */
const RESUMED: [name: string, scene: Scene, expected: string[]][] = [
  ["before the removal", { member: DOWN, record: RECORD }, [
    "remove n3 dry",
    "begin 10.0.0.3:4513 true",
    "remove n3 prod-eu-1",
    "add n3 10.0.0.3:4513 true",
    "move aside",
    "finish",
  ]],
  ["after the removal", { member: null, record: RECORD }, [
    "add n3 10.0.0.3:4513 true dry",
    "begin 10.0.0.3:4513 true",
    "add n3 10.0.0.3:4513 true",
    "move aside",
    "finish",
  ]],
  ["after the addition", { member: NEW, record: RECORD }, [
    "begin 10.0.0.3:4513 true",
    "move aside",
    "finish",
  ]],
  ["at the end", { member: NEW, names: [] }, [
    "begin 10.0.0.3:4513 false",
    "move aside",
    "finish",
  ]],
];
for (const [name, scene, expected] of RESUMED) {
  Deno.test(`member rebuild goes on ${name}`, async () => {
    const { code, did, out } = await rebuild(scene, ...CONFIRM);
    assert.equal(code, 0, out);
    assert.deepEqual(did.slice(1, -1), expected);
    assert.match(out, /start it, with its other settings: sealkv serve/);
  });
}

const REFUSED: [name: string, scene: Scene, args: string[], code: number][] = [
  ["a member that runs", { member: { ...DOWN, up: true } }, CONFIRM, 3],
  ["no name", { member: DOWN }, [], 4],
  ["a wrong name", { member: DOWN }, ["--confirm", "prod"], 4],
  ["no address", { member: null }, CONFIRM, 2],
  [
    "too few voters",
    {
      member: DOWN,
      change: () => {
        throw new RemoteError("NODE_QUORUM_AT_RISK", "what", "how");
      },
    },
    CONFIRM,
    3,
  ],
];
for (const [name, scene, args, code] of REFUSED) {
  Deno.test(`member rebuild with ${name} changes nothing`, async () => {
    const { did, ...outcome } = await rebuild(scene, ...args);
    assert.equal(outcome.code, code, outcome.err);
    const changes = did.filter((what) =>
      !/^(open|close|remove n3 dry)/.test(what)
    );
    assert.deepEqual(changes, []);
    assert.equal(did.at(-1), "close");
  });
}

Deno.test("member rebuild refuses a data dir in use before it asks anyone", async () => {
  const { code, err } = await runIn(
    {
      openRebuild: () => Promise.reject(new DataDirLockedError("/d")),
    },
    ...ARGS,
    ...CONFIRM,
  );
  assert.equal(code, 78);
  assert.match(err, /NODE_DATA_DIR_LOCKED/);
});

Deno.test("member rebuild quotes a data dir for the shell", async () => {
  const { out } = await runIn(
    {
      statuses: [clusterOf(LEADER, DOWN)],
      change: planned,
      openRebuild: () =>
        Promise.resolve({
          record: null,
          names: [],
          oldSuffix: ".old-20260731T235959Z",
          begin: () => Promise.resolve(),
          moveAside: () => Promise.resolve(),
          deleteOld: () => Promise.resolve(),
          finish: () => Promise.resolve(),
          close: () => Promise.resolve(),
        }),
    },
    "member",
    "rebuild",
    "n3",
    "--data-dir",
    "/my dir/it's",
    "--dry-run",
    "--json",
  );
  const json = JSON.parse(out);
  assert.match(json.start, /--data-dir '\/my dir\/it'\\''s' /);
  assert.equal(json.dryRun, true);
});
