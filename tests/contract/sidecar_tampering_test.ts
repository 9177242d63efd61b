/*
 * Goal: whatever is changed in a sidecar, a start is refused by the one error
 * that names what is wrong, and changes nothing.
 * Method: a real node's data dir; each field of its sidecar is changed three
 * ways: to what no node would write, to another value that one might, and to
 * such a value by somebody who has the KEK and makes the MAC anew. The node is
 * opened as `serve` opens it, with all guards.
 */
import assert from "node:assert/strict";
import { fromBase64, toBase64 } from "../../src/base/base64.ts";
import { utf8 } from "../../src/base/bytes.ts";
import type { ErrorCode } from "../../src/base/error_code.ts";
import { NodeError } from "../../src/base/error.ts";
import { signHmac } from "../../src/crypto/hmac.ts";
import { deriveMacKey, sidecarMacInfo } from "../../src/crypto/mac.ts";
import { openDataKey } from "../../src/keys/data_key.ts";
import { parseSidecar, type SidecarFound } from "../../src/keys/sidecar.ts";
import { readSidecar } from "../../src/keys/sidecar_file.ts";
import { TestDataDir } from "../unit/node/guards/test_data_dir.ts";

/** A sidecar as anybody may edit it. */
interface Fields {
  version: unknown;
  cluster_id: unknown;
  node: unknown;
  applied_index: unknown;
  storage_cutover_index: unknown;
  raft_cutover_index: unknown;
  cleartext_lock_index: unknown;
  active: { storage: unknown; raft: unknown };
  state_key: unknown;
  keys: Record<string, Key>;
  mac: unknown;
}

interface Key {
  purpose: unknown;
  created: unknown;
  commitment: string;
  local_epoch: unknown;
  wraps: { kek: string; wrapped: string }[];
}

const MALFORMED: ErrorCode = "KEYS_SIDECAR_MALFORMED";
const TAMPERED: ErrorCode = "KEYS_SIDECAR_TAMPERED";
const OTHER_CLUSTER = "00000000-0000-4000-8000-000000000001";

/** A node that bootstrapped, rotated its storage key, and stopped. */
let dir: TestDataDir;
let text: string;
/** Of before the last start, and of before the rotation. */
const older = { start: "", rotation: "" };

Deno.test.beforeAll(async () => {
  dir = await TestDataDir.bootstrapped();
  older.rotation = await Deno.readTextFile(dir.sidecar);
  await dir.change({ kind: "rotate-dek", purpose: "storage" });
  older.start = await Deno.readTextFile(dir.sidecar);
  await dir.run();
  text = await Deno.readTextFile(dir.sidecar);
});
Deno.test.afterAll(async () => {
  await dir[Symbol.asyncDispose]();
});

/** The start is refused; the sidecar is as it was put there. */
async function assertRefused(
  sidecar: string,
  code: ErrorCode,
): Promise<NodeError> {
  await Deno.writeTextFile(dir.sidecar, sidecar);
  const before = await dir.content();
  let refusal: unknown = null;
  try {
    const openTransport = () => assert.fail("no listener opens");
    await dir.open(dir.keys, {}, { openTransport });
  } catch (error) {
    refusal = error;
  }
  const after = await dir.content();
  await Deno.writeTextFile(dir.sidecar, text);
  assert.ok(refusal instanceof NodeError, String(refusal));
  assert.equal(refusal.code, code, `${refusal.message}: ${refusal.cause}`);
  assert.ok(refusal.remedy.length > 0);
  assert.deepEqual(after, before);
  return refusal;
}

function edited(change: (fields: Fields) => void): string {
  const fields = JSON.parse(text) as Fields;
  change(fields);
  const changed = JSON.stringify(fields);
  assert.notEqual(changed, JSON.stringify(JSON.parse(text)), "it is changed");
  return changed;
}

/** The MAC made anew by somebody who has the KEK, over what `sidecar` says. */
async function signed(sidecar: string): Promise<string> {
  const found = await readSidecar(dir.disk, dir.paths.encryption);
  assert.ok(found !== null);
  const changed: SidecarFound = parseSidecar("changed", sidecar);
  const { clusterId, shared } = found;
  const key = shared.keys.get(shared.stateKey);
  assert.ok(key !== undefined);
  const known = [...shared.keys.values()];
  const dek = await openDataKey({ clusterId, keks: [dir.kek], known }, key);
  const info = sidecarMacInfo(changed.clusterId, changed.node);
  const mac = await signHmac(
    await deriveMacKey(dek, info),
    utf8(changed.text),
  );
  return JSON.stringify({ ...JSON.parse(sidecar), mac: toBase64(mac) });
}

/** The key of that purpose; of storage, the active one. */
function keyOf({ keys, active }: Fields, purpose: string): Key {
  const [, key] =
    Object.entries(keys).find(([id, key]) =>
      key.purpose === purpose &&
      (purpose !== "storage" || Number(id) === active.storage)
    ) ?? [];
  assert.ok(key !== undefined);
  return key;
}

function idOf({ keys }: Fields, key: Key): string {
  const [id = ""] = Object.entries(keys).find(([, item]) => item === key) ?? [];
  return id;
}

function retiredOf({ keys, active }: Fields): [string, Key] {
  const found = Object.entries(keys).find(([id, { purpose }]) =>
    purpose === "storage" && Number(id) !== active.storage
  );
  assert.ok(found !== undefined);
  return found;
}

/** The base64 of bytes of which one bit is another. */
function flipped(base64: string): string {
  const bytes = fromBase64(base64);
  assert.ok(bytes !== null);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return toBase64(bytes);
}

function swapWraps(a: Key, b: Key): void {
  [a.wraps, b.wraps] = [b.wraps, a.wraps];
}

type Edit = (fields: Fields) => void;

/** What no node writes. */
const NONSENSE: Record<string, Edit> = {
  version: (f) => f.version = 2,
  cluster_id: (f) => f.cluster_id = "of mine",
  node: (f) => f.node = "N 1",
  applied_index: (f) => f.applied_index = "-1",
  storage_cutover_index: (f) => f.storage_cutover_index = 7,
  raft_cutover_index: (f) => f.raft_cutover_index = "007",
  cleartext_lock_index: (f) => f.cleartext_lock_index = "9007199254740992",
  "active.storage": (f) => f.active.storage = f.active.raft,
  "active.raft": (f) => f.active.raft = 0,
  state_key: (f) => f.state_key = f.active.raft,
  "keys, none": (f) => f.keys = {},
  "keys, the state key gone": (f) => delete f.keys[idOf(f, keyOf(f, "state"))],
  "keys, an id of letters": (f) => f.keys["x"] = keyOf(f, "raft"),
  purpose: (f) => keyOf(f, "raft").purpose = "state",
  created: (f) => keyOf(f, "raft").created = "2026-02-30T10:00:00Z",
  commitment: (f) => keyOf(f, "raft").commitment = "AAAA",
  local_epoch: (f) => keyOf(f, "raft").local_epoch = 65_536,
  "wraps, none": (f) => keyOf(f, "raft").wraps = [],
  "wraps, one twice": (f) =>
    keyOf(f, "raft").wraps.push(keyOf(f, "raft").wraps[0]!),
  kek: (f) => keyOf(f, "raft").wraps[0]!.kek = "a b",
  wrapped: (f) => keyOf(f, "raft").wraps[0]!.wrapped = "!",
  mac: (f) => f.mac = "AAAA",
  "another field": (f) => Object.assign(f, { comment: "mine" }),
};

for (const [field, change] of Object.entries(NONSENSE)) {
  Deno.test(`a sidecar whose ${field} is nonsense: ${MALFORMED}`, async () => {
    const error = await assertRefused(edited(change), MALFORMED);
    const name = field === "another field" ? "comment" : field.split(",")[0]!;
    assert.ok(error.message.includes(name), error.message);
  });
}

/** What a node might write, by somebody without the KEK, and with it. */
const PLAUSIBLE: readonly [
  field: string,
  change: Edit,
  unsigned: ErrorCode,
  /** `null`: nothing tells it from what the node itself would have written. */
  signed: ErrorCode | null,
][] = [
  [
    "cluster_id",
    (f) => f.cluster_id = OTHER_CLUSTER,
    "NODE_WRONG_CLUSTER",
    "NODE_WRONG_CLUSTER",
  ],
  ["node", (f) => f.node = "n2", "NODE_WRONG_NODE", "NODE_WRONG_NODE"],
  [
    "applied_index, lower",
    (f) => f.applied_index = "1",
    TAMPERED,
    "NODE_SIDECAR_BEHIND",
  ],
  ["applied_index, higher", (f) => f.applied_index = "99", TAMPERED, null],
  [
    "storage_cutover_index",
    (f) => f.storage_cutover_index = "5",
    TAMPERED,
    "NODE_CUTOVER_DIVERGENCE",
  ],
  [
    "raft_cutover_index",
    (f) => f.raft_cutover_index = "5",
    TAMPERED,
    "NODE_CUTOVER_DIVERGENCE",
  ],
  [
    "cleartext_lock_index",
    (f) => f.cleartext_lock_index = "5",
    TAMPERED,
    "NODE_CUTOVER_DIVERGENCE",
  ],
  [
    "active.storage",
    (f) => f.active.storage = Number(retiredOf(f)[0]),
    TAMPERED,
    "NODE_CUTOVER_DIVERGENCE",
  ],
  [
    "keys, one left out",
    (f) => delete f.keys[retiredOf(f)[0]],
    TAMPERED,
    "NODE_CUTOVER_DIVERGENCE",
  ],
  [
    "keys, one under another id",
    (f) => {
      const [id, key] = retiredOf(f);
      delete f.keys[id];
      f.keys["4242"] = key;
    },
    TAMPERED,
    // The KEK binds its wrap to the id.
    "KEYS_WRAP_REJECTED",
  ],
  [
    "purpose",
    (f) => retiredOf(f)[1].purpose = "raft",
    TAMPERED,
    "KEYS_WRAP_REJECTED",
  ],
  [
    "created",
    (f) => keyOf(f, "raft").created = "2026-01-02T03:04:05Z",
    TAMPERED,
    null,
  ],
  [
    "commitment",
    (f) => keyOf(f, "raft").commitment = flipped(keyOf(f, "raft").commitment),
    TAMPERED,
    TAMPERED,
  ],
  [
    "commitment of the state key",
    (f) => keyOf(f, "state").commitment = flipped(keyOf(f, "state").commitment),
    TAMPERED,
    TAMPERED,
  ],
  [
    "local_epoch, lower",
    (f) => keyOf(f, "raft").local_epoch = 1,
    TAMPERED,
    "NODE_EPOCH_ROLLBACK",
  ],
  [
    "local_epoch, higher",
    (f) => keyOf(f, "raft").local_epoch = 99,
    TAMPERED,
    null,
  ],
  [
    "local_epoch, the last one",
    (f) => keyOf(f, "storage").local_epoch = 65_535,
    TAMPERED,
    "KEYS_EPOCH_EXHAUSTED",
  ],
  [
    "wraps, of two keys in each other's place",
    (f) => swapWraps(keyOf(f, "storage"), keyOf(f, "raft")),
    TAMPERED,
    TAMPERED,
  ],
  [
    "wraps, of a key and its predecessor in each other's place",
    (f) => swapWraps(keyOf(f, "storage"), retiredOf(f)[1]),
    TAMPERED,
    TAMPERED,
  ],
  [
    "wraps, the state key's in another's place",
    (f) => swapWraps(keyOf(f, "state"), keyOf(f, "raft")),
    TAMPERED,
    TAMPERED,
  ],
  [
    "kek",
    (f) => keyOf(f, "raft").wraps[0]!.kek = "file:0000000000000000",
    TAMPERED,
    "NODE_CUTOVER_DIVERGENCE",
  ],
  [
    "wrapped",
    (f) => {
      const [wrap] = keyOf(f, "raft").wraps;
      wrap!.wrapped = flipped(wrap!.wrapped);
    },
    TAMPERED,
    "KEYS_WRAP_REJECTED",
  ],
  [
    "wrapped of the state key",
    (f) => {
      const [wrap] = keyOf(f, "state").wraps;
      wrap!.wrapped = flipped(wrap!.wrapped);
    },
    TAMPERED,
    TAMPERED,
  ],
  [
    "mac",
    (f) => f.mac = flipped(String(f.mac)),
    TAMPERED,
    null,
  ],
];

for (const [field, change, unsigned, code] of PLAUSIBLE) {
  Deno.test(`a sidecar whose ${field} is changed: ${unsigned}`, async () => {
    await assertRefused(edited(change), unsigned);
  });
  if (code === null) continue;
  Deno.test(`a sidecar whose ${field} is changed and signed: ${code}`, async () => {
    const error = await assertRefused(await signed(edited(change)), code);
    if (code !== TAMPERED) return;
    const { cause } = error;
    assert.ok(cause instanceof NodeError, String(cause));
    const isState = /state key/.test(field);
    const expected = [
      "KEYS_COMMITMENT_MISMATCH",
      ...isState ? ["KEYS_WRAP_REJECTED"] : [],
    ];
    assert.ok(expected.includes(cause.code), cause.code);
  });
}

/** Wholly right once, and put back. */
for (
  const [moment, code] of [
    ["start", "NODE_EPOCH_ROLLBACK"],
    ["rotation", "NODE_SIDECAR_BEHIND"],
  ] as const
) {
  Deno.test(`the sidecar of before the last ${moment}: ${code}`, async () => {
    await assertRefused(older[moment], code);
  });
}

Deno.test("the sidecar itself, its fields in another order: the node starts", async () => {
  const fields = Object.entries(JSON.parse(text)).reverse();
  await Deno.writeTextFile(
    dir.sidecar,
    JSON.stringify(Object.fromEntries(fields)),
  );
  await dir.run();
});
