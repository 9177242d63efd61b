/*
 * Bytes that a store once wrote: they open for ever. A file holds the encoded
 * row key and the row, one line of hex each.
 */
import assert from "node:assert/strict";
import { type Bytes, fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import {
  NO_ENCRYPTION,
  NO_ROLLOUT,
  type RecordKey,
  type StoredRecord,
} from "../../src/fsm/types.ts";
import { encodeKvKey } from "../../src/io/kv_key.ts";
import {
  decodeDatabase,
  decodeMarker,
  decodeMeta,
  type StoreState,
} from "../../src/store/meta.ts";
import {
  decodeEncryption,
  encodeEncryption,
} from "../../src/store/encryption_row.ts";
import { decodeMembers } from "../../src/store/members_row.ts";
import { decodeRollout } from "../../src/store/rollout_row.ts";
import { openRecord, readRecordRow } from "../../src/store/record.ts";
import {
  databaseKey,
  encryptionKey,
  expiryKey,
  MARKER_KEY,
  MEMBERS_KEY,
  META_KEY,
  NO_CLEARTEXT_KEY,
  overflowKey,
  parseRowKey,
  ROLLOUT_KEY,
  rowKey,
  sessionKey,
  stagedKey,
} from "../../src/store/row_key.ts";
import { RecordSealing } from "../../src/store/sealing.ts";
import {
  decodeNoCleartext,
  encodeNoCleartext,
} from "../../src/store/no_cleartext.ts";
import { CLUSTER_ID, putAt, sealedAt } from "../unit/store/sealed_model.ts";
import { NODE16, TestRecordKeys } from "../unit/store/test_record_keys.ts";
import { decodeSession } from "../../src/store/session_row.ts";
import { CleartextSealer } from "../../src/store/sealer.ts";
import { encryptionOf, STORAGE_KEY } from "../unit/store/encryption_model.ts";

async function fixture(name: string): Promise<readonly Bytes[]> {
  const path = new URL(`../fixtures/v1/${name}.hex`, import.meta.url);
  const lines = (await Deno.readTextFile(path)).trim().split("\n");
  return lines.map((line) => {
    const bytes = fromHex(line);
    assert.ok(bytes !== null);
    return bytes;
  });
}

const versionstamp = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, 0, 3);

const RECORDS: readonly (readonly [string, RecordKey, StoredRecord])[] = [
  ["record_bytes", { database: 1, key: utf8("\x02name\0") }, {
    value: { data: utf8("hello"), encoding: 3 },
    versionstamp,
    expireAtMs: 0,
  }],
  ["record_le64_expiring", {
    database: 258,
    key: Uint8Array.of(1, 0, 255, 0),
  }, {
    value: { data: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0), encoding: 2 },
    versionstamp,
    expireAtMs: 1_700_000_000_123,
  }],
  ["record_long_key", {
    database: 1,
    key: Uint8Array.from({ length: 2_070 }, (_, i) => i % 3),
  }, {
    value: { data: Uint8Array.of(0xff, 0x10, 0x49, 0x02), encoding: 1 },
    versionstamp,
    expireAtMs: 0,
  }],
];

for (const [name, place, record] of RECORDS) {
  Deno.test(`${name} opens`, async () => {
    const [key, row] = await fixture(name);
    assert.equal(toHex(encodeKvKey(rowKey(place))), toHex(key!));
    const at = parseRowKey(rowKey(place))!;
    const found = readRecordRow(at, row!);
    assert.deepEqual(found.place.key, place.key);
    assert.deepEqual(
      await openRecord(new CleartextSealer(), found, null),
      record,
    );
  });
}

Deno.test("record_sealed opens in the session that its store has", async () => {
  const [key, row, sessionKeyBytes, session] = await fixture("record_sealed");
  const place = { keyId: STORAGE_KEY, node16: NODE16, epoch: 1 };
  assert.equal(toHex(encodeKvKey(sessionKey(place))), toHex(sessionKeyBytes!));
  const put = putAt("\x02name\0", 11);
  assert.equal(toHex(encodeKvKey(rowKey(put))), toHex(key!));
  const state = sealedAt(12);
  const sealing = new RecordSealing({
    keys: new TestRecordKeys(CLUSTER_ID),
    findSession: () => Promise.resolve(decodeSession(session!, place)),
    insertSession: () => Promise.resolve(true),
    state: () => state,
  });
  const found = readRecordRow(parseRowKey(rowKey(put))!, row!);
  assert.deepEqual(await openRecord(sealing, found, null), put.record);
});

Deno.test("store_no_cleartext is the mark of a store", async () => {
  const [key, row] = await fixture("store_no_cleartext");
  assert.equal(toHex(encodeKvKey(NO_CLEARTEXT_KEY)), toHex(key!));
  assert.equal(decodeNoCleartext(row!), 184_201);
  assert.equal(toHex(encodeNoCleartext(184_201)), toHex(row!));
});

const STATE: StoreState = {
  applied: { index: 184_273, term: 7 },
  confState: {
    voters: [1, 2],
    votersOutgoing: [1],
    learners: [],
    learnersNext: [9],
    autoLeave: true,
  },
  fsm: {
    clockMs: 1_700_000_000_000,
    clusterId: new Uint8Array(16).fill(0xab),
    clusterName: "prod",
    databases: new Map(),
    members: new Map(),
    encryption: NO_ENCRYPTION,
    rollout: NO_ROLLOUT,
  },
  encryptionMac: null,
};

for (const name of ["store_meta", "store_meta_encrypted"]) {
  Deno.test(`${name} opens`, async () => {
    const [key, row] = await fixture(name);
    assert.deepEqual(encodeKvKey(META_KEY), key);
    const hasEncryption = name === "store_meta_encrypted";
    const meta = { state: STATE, hasEncryption };
    assert.deepEqual(decodeMeta(row!, new Map()), meta);
  });
}

Deno.test("store_database opens", async () => {
  const [key, row] = await fixture("store_database");
  assert.deepEqual(encodeKvKey(databaseKey(258)), key);
  assert.equal(decodeDatabase(row!, 258), "orders");
});

Deno.test("store_marker opens", async () => {
  const [key, row] = await fixture("store_marker");
  assert.deepEqual(encodeKvKey(MARKER_KEY), key);
  assert.deepEqual(decodeMarker(row!), { next: 499, count: 1_500 });
});

Deno.test("store_rollout opens", async () => {
  const [key, row] = await fixture("store_rollout");
  assert.deepEqual(encodeKvKey(ROLLOUT_KEY), key);
  const event = {
    index: 184_202,
    atMs: 1_790_000_000_123,
    actor: "token:ops",
    action: "enable-storage-envelope",
    planHash: "0123456789abcdef",
    result: "refused",
    entry: 0,
    detail: "NODE_CAPABILITY_UNPROVEN",
  };
  assert.deepEqual(decodeRollout(row!), {
    rewrite: { id: 184_201, bytesPerSecond: 8_388_608, isPaused: true },
    dwellUntilMs: 1_790_000_000_123,
    events: [event],
  });
});

Deno.test("store_members opens", async () => {
  const [key, row] = await fixture("store_members");
  assert.deepEqual(encodeKvKey(MEMBERS_KEY), key);
  const joined = {
    id: 2,
    name: "n2",
    peerAddress: "[fd00::2]:4701",
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  };
  const members = [
    {
      id: 1,
      name: "n1",
      peerAddress: "n1.example:4701",
      clientAddress: "n1.example:4512",
      adminAddress: "n1.example:4702",
      diskId: new Uint8Array(16).fill(0xd1),
      protocolVersion: 1,
      promoteWhenCaughtUp: false,
    },
    joined,
    { ...joined, id: 184_273, name: "n-9.eu", promoteWhenCaughtUp: true },
  ];
  assert.deepEqual([...decodeMembers(row!).values()], members);
});

Deno.test("store_encryption opens, and is written so today", async () => {
  const [key, row] = await fixture("store_encryption");
  assert.deepEqual(encodeKvKey(encryptionKey(0)), key);
  const stored = {
    encryption: encryptionOf(184_273, { epoch: 7 }),
    encryptionMac: new Uint8Array(32).fill(0xa5),
  };
  assert.deepEqual(decodeEncryption([row!]), stored);
  assert.deepEqual(encodeEncryption(stored), [row!]);
});

Deno.test("store_session opens", async () => {
  const [key, row] = await fixture("store_session");
  const place = { keyId: 305_419_896, node16: 0xd4c0, epoch: 7 };
  assert.deepEqual(encodeKvKey(sessionKey(place)), key);
  const salt = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert.deepEqual(decodeSession(row!, place), { ...place, salt });
});

Deno.test("store_row_keys are where they were", async () => {
  const row = rowKey({ database: 2, key: utf8("a") });
  const keys = [
    overflowKey(row),
    expiryKey(1_700_000_000_123, row),
    stagedKey(300, row),
  ];
  assert.deepEqual(keys.map(encodeKvKey), await fixture("store_row_keys"));
});
