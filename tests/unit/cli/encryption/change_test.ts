import assert from "node:assert/strict";
import { RemoteError } from "../../../../src/admin/errors.ts";
import { PLAN_HASH } from "../cluster.ts";
import {
  type AskedEncryptionChange,
  runIn,
  type World,
} from "../fake_services.ts";
import { encryptionChanged } from "./values.ts";

/** A world that records the changes it is asked for. */
function world(given: Partial<World> = {}) {
  const asked: AskedEncryptionChange[] = [];
  return {
    asked,
    ...given,
    changeEncryption: (change: AskedEncryptionChange) => {
      asked.push(change);
      return (given.changeEncryption ?? encryptionChanged)(change);
    },
  };
}

const CHANGES: [
  args: string[],
  asked: Omit<AskedEncryptionChange, "options">,
  facts: object,
][] = [
  [["bootstrap"], { kind: "bootstrap" }, {}],
  [
    ["rotate-dek", "--purpose", "storage"],
    { kind: "rotate-dek", of: "storage" },
    { purpose: "storage" },
  ],
  [
    ["rotate-dek", "--purpose", "raft"],
    { kind: "rotate-dek", of: "raft" },
    { purpose: "raft" },
  ],
  [["rewrap-deks"], { kind: "rewrap-deks", of: [] }, { keks: [] }],
  [
    ["rewrap-deks", "--to", "file:1", "--to", "aws-kms:2"],
    { kind: "rewrap-deks", of: ["file:1", "aws-kms:2"] },
    { keks: ["file:1", "aws-kms:2"] },
  ],
];
for (const [args, expected, facts] of CHANGES) {
  const name = `encryption ${args.join(" ")}`;
  const command = ["encryption", ...args];

  Deno.test(`${name} prints the plan, then carries out what was looked at`, async () => {
    const { asked, ...given } = world();
    const dry = await runIn(given, ...command, "--dry-run");
    assert.equal(
      dry.out,
      `plan ${PLAN_HASH}
  1. ${expected.kind} it
nothing was changed; to do this: --plan ${PLAN_HASH}
`,
    );
    const real = await runIn(given, ...command, "--plan", PLAN_HASH);
    assert.deepEqual([dry.code, real.code, real.err], [0, 0, ""]);
    assert.equal(
      real.out,
      `plan ${PLAN_HASH}\n  1. ${expected.kind} it\ndone\nindex 184273\n`,
    );
    assert.deepEqual(asked, [
      { ...expected, options: { dryRun: true, planHash: "" } },
      { ...expected, options: { dryRun: false, planHash: PLAN_HASH } },
    ]);
  });

  Deno.test(`${name} --json is one object`, async () => {
    const { out } = await runIn(world(), ...command, "--json");
    assert.deepEqual(JSON.parse(out), {
      change: expected.kind,
      changed: true,
      dryRun: false,
      plan: { hash: PLAN_HASH, steps: [`${expected.kind} it`] },
      index: "184273",
      unreachable: [],
      ...facts,
    });
  });
}

Deno.test("a change that was so already says so, and at which index", async () => {
  const plan = { hash: PLAN_HASH, steps: ["nothing"] };
  const { code, out } = await runIn(
    world({
      changeEncryption: () => ({
        plan,
        changed: false,
        index: 12n,
        unreachable: ["n3"],
      }),
    }),
    ...["encryption", "bootstrap"],
  );
  assert.equal(code, 0);
  assert.match(
    out,
    /nothing to do: it is so already\nindex 12\nnot asked.*n3\n$/,
  );
});

const REFUSALS: [
  code: ConstructorParameters<typeof RemoteError>[0],
  exit: number,
][] = [
  ["NODE_CAPABILITY_UNPROVEN", 3],
  ["NODE_ENCRYPTION_GATE_CLOSED", 3],
  ["NODE_NOT_BOOTSTRAPPED", 3],
  ["NODE_CHANGE_UNDER_WAY", 3],
  ["KEYS_KEK_UNKNOWN", 3],
  ["NODE_PLAN_STALE", 6],
  ["NODE_ENCRYPTION_REFUSED", 8],
  ["ADMIN_REQUEST_INVALID", 2],
];
for (const [code, exit] of REFUSALS) {
  Deno.test(`a change refused with ${code} ends with ${exit}`, async () => {
    const given = world({
      changeEncryption: () => {
        throw new RemoteError(code, "Cannot do it", "Do this first");
      },
    });
    const command = ["encryption", "bootstrap"];
    const text = await runIn(given, ...command);
    assert.equal(text.code, exit);
    assert.equal(
      text.err,
      `error[${code}]: Cannot do it\nremedy: Do this first\n`,
    );
    const json = await runIn(given, ...command, "--json");
    assert.equal(JSON.parse(json.err).error.code, code);
  });
}

const USAGE: [args: string[], said: RegExp][] = [
  [[], /needs another one after it/],
  [["statsu"], /Did you mean status\?/],
  [["rotate-dek"], /--purpose <PURPOSE>' not specified/],
  [["rotate-dek", "--purpose", "storrage"], /Did you mean storage\?/],
  [["rotate-dek", "--purpose", "state"], /Allowed choices are storage, raft/],
  [["bootstrap", "--plan", "12"], /16 hex digits/],
  [["bootstrap", "--dry-rum"], /Did you mean --dry-run\?/],
  [["bootstrap", "now"], /too many arguments/],
  [["rewrap-deks", "--to"], /argument missing/],
  [["disable", "--force"], /unknown option/],
];
for (const [args, said] of USAGE) {
  Deno.test(`encryption ${args.join(" ")} is a usage error`, async () => {
    const { code, out, err } = await runIn(world(), "encryption", ...args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, said);
  });
}

Deno.test("encryption disable always refuses and explains the way out", async () => {
  const { code, out, err } = await runIn({}, "encryption", "disable");
  assert.deepEqual([code, out], [3, ""]);
  assert.match(err, /^error\[NODE_DISABLE_REFUSED\]: Cannot disable .*\n/);
  assert.match(err, /\nremedy: Dump and reload: .*kv export.*kv import/);
  const json = await runIn({}, "encryption", "disable", "--json");
  assert.equal(JSON.parse(json.err).error.code, "NODE_DISABLE_REFUSED");
});

Deno.test("kek generate says where the KEK is and how to give it", async () => {
  const made: string[] = [];
  const given: World = {
    generateKek(path) {
      made.push(path);
      return Promise.resolve({ id: "file:3f2a91d0c4b7e865" });
    },
  };
  const text = await runIn(given, "kek", "generate", "--out", "/k/prod.kek");
  assert.equal(
    text.out,
    `made /k/prod.kek
id file:3f2a91d0c4b7e865
give it to a node: --kek file:/k/prod.kek
`,
  );
  const json = await runIn(given, "kek", "generate", "--out", "a", "--json");
  assert.deepEqual(JSON.parse(json.out), {
    id: "file:3f2a91d0c4b7e865",
    kek: "file:a",
    path: "a",
  });
  assert.deepEqual(made, ["/k/prod.kek", "a"]);
  assert.equal((await runIn(given, "kek", "generate")).code, 2);
});
