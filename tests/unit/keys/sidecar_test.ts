import assert from "node:assert/strict";
import { toBase64 } from "../../../src/base/base64.ts";
import {
  CREATED_MS_MAX,
  KEY_ID_MAX,
  KEYS_MAX,
} from "../../../src/base/data_key.ts";
import {
  EpochOutOfRangeError,
  SidecarMalformedError,
} from "../../../src/keys/errors.ts";
import {
  formatSidecar,
  parseSidecar,
  SIDECAR_BYTES_MAX,
  type SidecarContent,
  sidecarText,
} from "../../../src/keys/sidecar.ts";
import { sampleContent, sampleKey, sampleShared } from "./sample_keys.ts";

const MAC = new Uint8Array(32).fill(0xa5);
const TEXT = formatSidecar(sampleContent(), MAC);

/** What JSON.parse makes of the sample; tests change it. */
// deno-lint-ignore no-explicit-any
type Loose = any;

function changed(change: (root: Loose) => void): string {
  const root = JSON.parse(TEXT);
  change(root);
  return JSON.stringify(root);
}

function refusal(text: string): SidecarMalformedError {
  try {
    parseSidecar("d/keys.json", text);
  } catch (error) {
    assert.ok(error instanceof SidecarMalformedError, String(error));
    assert.match(error.message, /^Cannot read the sidecar "d\/keys\.json"/);
    return error;
  }
  throw new Error(`taken: ${text}`);
}

function checkRoundTrip(content: SidecarContent): void {
  const found = parseSidecar("f", formatSidecar(content, MAC));
  const { mac, text, ...rest } = found;
  assert.deepEqual(rest, content);
  assert.deepEqual(mac, MAC);
  assert.equal(text, sidecarText(content));
}

Deno.test("parseSidecar() reads what formatSidecar() wrote", () => {
  checkRoundTrip(sampleContent());
});

Deno.test("a sidecar keeps its extremes", () => {
  const wraps = Array.from({ length: 8 }, (_, i) => ({
    kek: i + '"\\'.repeat(255) + "~",
    wrapped: new Uint8Array(1024).fill(0xff),
  }));
  const ids = Array.from({ length: KEYS_MAX - 2 }, (_, i) => i + 3);
  const keys = [
    sampleKey(1, "state", { createdMs: 0, wraps }),
    sampleKey(2, "raft", { createdMs: CREATED_MS_MAX, wraps }),
    ...ids.slice(0, -1).map((id) => sampleKey(id, "storage", { wraps })),
    sampleKey(KEY_ID_MAX, "storage", { createdMs: 1, wraps }),
  ];
  const max = Number.MAX_SAFE_INTEGER;
  const content = sampleContent({
    clusterId: new Uint8Array(16).fill(0xff),
    node: "a".repeat(63),
    shared: {
      stateIndex: max,
      keys: new Map(keys.map((key) => [key.id, key])),
      active: { storage: KEY_ID_MAX, raft: 2 },
      stateKey: 1,
      storageCutoverIndex: max,
      raftCutoverIndex: max,
      cleartextLockIndex: max,
    },
    epochs: new Map(keys.map(({ id }, i) => [id, i % 2 * 0xffff])),
  });
  assert.equal(keys.length, KEYS_MAX);
  checkRoundTrip(content);
  const { length } = formatSidecar(content, MAC);
  assert.ok(length < SIDECAR_BYTES_MAX, String(length));
  assert.ok(length > SIDECAR_BYTES_MAX / 2, String(length));
});

Deno.test("the file is as docs/formats_sidecar.md shows it", () => {
  const key = (purpose: string, byte: number, epoch: number) => ({
    purpose,
    created: "2026-04-29T10:00:00Z",
    commitment: toBase64(new Uint8Array(32).fill(byte)),
    local_epoch: epoch,
    wraps: [{
      kek: "file:3f3f3f3f3f3f3f3f",
      wrapped: toBase64(new Uint8Array(60)),
    }],
  });
  assert.deepEqual(JSON.parse(TEXT), {
    version: 1,
    cluster_id: "01020304-0506-0708-090a-0b0c0d0e0f10",
    node: "n1",
    applied_index: "184273",
    storage_cutover_index: "184201",
    raft_cutover_index: "0",
    cleartext_lock_index: "0",
    active: { storage: 305419896, raft: 2596069104 },
    state_key: 77,
    keys: {
      77: key("state", 77, 1),
      305419896: key("storage", 305419896, 7),
      2596069104: key("raft", 2596069104, 0xffff),
    },
    mac: toBase64(MAC),
  });
});

Deno.test("spaces and the order of fields do not matter", () => {
  const root = JSON.parse(TEXT);
  const turned = Object.fromEntries(Object.entries(root).reverse());
  const { text } = parseSidecar("f", JSON.stringify(turned, null, "\t"));
  assert.equal(text, sidecarText(sampleContent()));
  const { mac: _, ...rest } = root;
  // All names here are ASCII: sorted by code unit.
  const sorted = (value: Loose): Loose =>
    typeof value !== "object" || Array.isArray(value)
      ? value
      : Object.fromEntries(
        Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
          .map(([name, item]) => [name, sorted(item)]),
      );
  const { keys, ...others } = sorted(rest);
  // Names that are indexes cannot be ordered in an object.
  const keysText = Object.entries(keys).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([id, key]: Loose) => {
      const wraps = key.wraps.map(sorted);
      return `"${id}":${JSON.stringify({ ...key, wraps })}`;
    }).join(",");
  const expected = JSON.stringify({ ...sorted({ ...others, keys: "" }) })
    .replace('"keys":""', `"keys":{${keysText}}`);
  assert.equal(text, expected);
});

const STORAGE = "305419896";
const CHANGES: [field: string, change: (root: Loose) => void][] = [
  ["version", (root) => root.version = 2],
  ["version", (root) => root.version = "1"],
  ["version", (root) => root.version = [1]],
  ["cluster_id", (root) => root.cluster_id = ""],
  ["cluster_id", (root) => root.cluster_id += "0"],
  ["cluster_id", (root) => root.cluster_id = root.cluster_id.toUpperCase()],
  ["node", (root) => root.node = ""],
  ["node", (root) => root.node = "N1"],
  ["node", (root) => root.node = ".."],
  ["node", (root) => root.node = "a".repeat(64)],
  ["applied_index", (root) => root.applied_index = 184273],
  ["applied_index", (root) => root.applied_index = "184273.0"],
  ["storage_cutover_index", (root) => root.storage_cutover_index = "-1"],
  ["raft_cutover_index", (root) => root.raft_cutover_index = "00"],
  [
    "cleartext_lock_index",
    (root) => root.cleartext_lock_index = "9007199254740992",
  ],
  ["active", (root) => root.active = 7],
  ["active.state", (root) => root.active.state = 77],
  ["active.raft", (root) => delete root.active.raft],
  ["active.raft", (root) => root.active.raft = Number(STORAGE)],
  ["active.storage", (root) => root.active.storage = 0],
  ["active.storage", (root) => root.active.storage = -1],
  ["active.storage", (root) => root.active.storage = 2 ** 32],
  ["active.storage", (root) => root.active.storage = 5],
  ["active.storage", (root) => root.active.storage = STORAGE],
  ["state_key", (root) => root.state_key = Number(STORAGE)],
  ["state_key", (root) => root.state_key = 78],
  ["keys", (root) => root.keys = {}],
  ["keys", (root) => root.keys = []],
  ["keys", (root) => root.keys["0"] = root.keys["77"]],
  ["keys", (root) => root.keys["077"] = root.keys["77"]],
  ["keys", (root) => root.keys["-1"] = root.keys["77"]],
  ["keys", (root) => root.keys["4294967296"] = root.keys["77"]],
  ["keys", (root) => root.keys["0x4d"] = root.keys["77"]],
  ["keys", (root) => root.keys["78"] = root.keys["77"]],
  ["keys", (root) => root.keys["77"].purpose = "raft"],
  ["active.storage", (root) => delete root.keys[STORAGE]],
  ["keys.77", (root) => root.keys["77"] = "x"],
  ["keys.77.purpose", (root) => root.keys["77"].purpose = "State"],
  ["keys.77.purpose", (root) => root.keys["77"].purpose = 3],
  ["keys.77.created", (root) => root.keys["77"].created = "2026-04-29"],
  ["keys.77.created", (root) => root.keys["77"].created = 0],
  ["keys.77.commitment", (root) => root.keys["77"].commitment = ""],
  ["keys.77.commitment", (root) => root.keys["77"].commitment = "AAAA"],
  ["keys.77.local_epoch", (root) => root.keys["77"].local_epoch = -1],
  ["keys.77.local_epoch", (root) => root.keys["77"].local_epoch = 65536],
  ["keys.77.local_epoch", (root) => root.keys["77"].local_epoch = "1"],
  ["keys.77.wraps", (root) => root.keys["77"].wraps = []],
  ["keys.77.wraps", (root) => root.keys["77"].wraps = {}],
  ["keys.77.wraps", (root) => {
    const { wraps } = root.keys["77"];
    root.keys["77"].wraps = [...wraps, ...wraps];
  }],
  ["keys.77.wraps", (root) => {
    const [wrap] = root.keys["77"].wraps;
    const names = [..."abcdefghi"];
    root.keys["77"].wraps = names.map((kek) => ({ ...wrap, kek }));
  }],
  ["keys.77.wraps.0.kek", (root) => root.keys["77"].wraps[0].kek = ""],
  ["keys.77.wraps.0.kek", (root) => root.keys["77"].wraps[0].kek = "a b"],
  ["keys.77.wraps.0.kek", (root) => root.keys["77"].wraps[0].kek = "é"],
  ["keys.77.wraps.0.kek", (root) => {
    root.keys["77"].wraps[0].kek = "k".repeat(513);
  }],
  ["keys.77.wraps.0.wrapped", (root) => root.keys["77"].wraps[0].wrapped = ""],
  ["keys.77.wraps.0.wrapped", (root) => {
    root.keys["77"].wraps[0].wrapped = toBase64(new Uint8Array(1025));
  }],
  ["mac", (root) => root.mac = toBase64(MAC.subarray(1))],
  ["mac", (root) => root.mac = `${root.mac}\n`],
];

for (const [i, [field, change]] of CHANGES.entries()) {
  Deno.test(`parseSidecar() refuses change ${i}, of ${field}`, () => {
    assert.equal(refusal(changed(change)).field, field);
  });
}

Deno.test("parseSidecar() refuses every missing and every unknown field", () => {
  const objects: [place: string, of: (root: Loose) => Loose][] = [
    ["", (root) => root],
    ["active.", (root) => root.active],
    ["keys.77.", (root) => root.keys["77"]],
    ["keys.77.wraps.0.", (root) => root.keys["77"].wraps[0]],
  ];
  for (const [place, of] of objects) {
    for (const name of Object.keys(of(JSON.parse(TEXT)))) {
      const gone = changed((root) => delete of(root)[name]);
      assert.equal(refusal(gone).field, `${place}${name}`);
    }
    const more = changed((root) => of(root).more = 1);
    assert.equal(refusal(more).field, `${place}more`);
    const proto = changed((root) => of(root).PROTO = 1);
    const text = proto.replace("PROTO", "__proto__");
    assert.equal(refusal(text).field, `${place}__proto__`);
  }
});

Deno.test("parseSidecar() refuses a field twice, naming it", () => {
  for (const name of ["node", "local_epoch", "305419896", "mac"]) {
    const field = new RegExp(
      `"${name}": (?:"[^"]*"|[0-9]+|\\{[^]*?\\]\\s*\\})`,
    );
    const text = TEXT.replace(field, (found) => `${found}, ${found}`);
    assert.notEqual(text, TEXT);
    const error = refusal(text);
    assert.match(error.rule, new RegExp(`the name "${name}" may come once`));
  }
});

Deno.test("parseSidecar() refuses text that is cut anywhere", () => {
  for (let length = 0; length < TEXT.trimEnd().length; length += 1) {
    refusal(TEXT.slice(0, length));
  }
});

Deno.test("an epoch out of range is named in the cause", () => {
  const { cause } = refusal(
    changed((root) => root.keys[STORAGE].local_epoch = 65536),
  );
  assert.ok(cause instanceof EpochOutOfRangeError);
  assert.deepEqual([cause.keyId, cause.epoch], [305419896, 65536]);
});

Deno.test("sidecarText() holds all but the MAC", () => {
  const text = sidecarText(sampleContent());
  assert.ok(!text.includes('"mac"'));
  const others: Partial<SidecarContent>[] = [
    { node: "n2" },
    { clusterId: new Uint8Array(16) },
    { epochs: new Map([[77, 1], [305419896, 8], [2596069104, 0xffff]]) },
    { shared: sampleShared({ stateIndex: 1 }) },
    { shared: sampleShared({ storageCutoverIndex: 1 }) },
    { shared: sampleShared({ raftCutoverIndex: 1 }) },
    { shared: sampleShared({ cleartextLockIndex: 1 }) },
    { shared: sampleShared({ stateKey: 1 }) },
    { shared: sampleShared({ active: { storage: 1, raft: 2 } }) },
  ];
  for (const other of others) {
    assert.notEqual(sidecarText(sampleContent(other)), text);
  }
});
