import { decodeRollout, encodeRollout } from "../../src/store/rollout_row.ts";
import { ROLLOUTS } from "../unit/store/rollout_model.ts";
import type { RolloutState } from "../../src/fsm/types.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { viewOf } from "../../src/base/bytes.ts";
import { crc32c } from "../../src/base/crc32c.ts";
import { NodeError } from "../../src/base/error.ts";
import {
  decodeDatabase,
  decodeMarker,
  decodeMeta,
  EMPTY_STATE,
  encodeDatabase,
  encodeMarker,
  encodeMeta,
  type StoredMeta,
} from "../../src/store/meta.ts";
import {
  decodeEncryption,
  encodeEncryption,
} from "../../src/store/encryption_row.ts";
import { decodeMembers, encodeMembers } from "../../src/store/members_row.ts";
import {
  encodeRecord,
  openRecord,
  readRecordRow,
} from "../../src/store/record.ts";
import {
  type ParsedRowKey,
  parseRowKey,
  rowKey,
} from "../../src/store/row_key.ts";
import { decodeSession, encodeSession } from "../../src/store/session_row.ts";
import { CleartextSealer } from "../../src/store/sealer.ts";
import {
  encryptionOf,
  longEncryptionOf,
  macOf,
  withEncryption,
} from "../unit/store/encryption_model.ts";
import { memberOf } from "../unit/store/store_model.ts";

const RUNS = { numRuns: 3_000 };
const SESSION = { keyId: 305_419_896, node16: 0xd4c0, epoch: 7 };
const SEALER = new CleartextSealer();
const SHORT: ParsedRowKey = {
  database: 1,
  bytes: Uint8Array.of(2, 97, 0),
  hash: null,
};
const LONG = parseRowKey(
  rowKey({ database: 3, key: new Uint8Array(2_000).fill(4) }),
)!;

/** Valid bytes with some of them changed, cut or lengthened; or any bytes. */
function damaged(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    edits: fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), {
      maxLength: 4,
    }),
    length: fc.oneof(fc.constant(valid.length), fc.nat(valid.length + 8)),
  }).map(({ edits, length }) => {
    const bytes = new Uint8Array(length);
    bytes.set(valid.subarray(0, length));
    for (const [at, byte] of edits) if (at < length) bytes[at] = byte;
    return bytes;
  });
  return fc.oneof(change, fc.uint8Array({ maxLength: 300 }));
}

/** Gives changed bytes the checksum that they need to get further. */
function resealed(bytes: Uint8Array): Uint8Array {
  const sealed = bytes.slice();
  if (sealed.length < 4) return sealed;
  const until = sealed.length - 4;
  viewOf(sealed).setUint32(until, crc32c(sealed.subarray(0, until)));
  return sealed;
}

/** As `resealed`, for a session's row: its place is under the checksum, too. */
function resealedSession(bytes: Uint8Array): Uint8Array {
  const sealed = bytes.slice();
  if (sealed.length !== 37) return sealed;
  const place = new Uint8Array(8);
  viewOf(place).setUint32(0, SESSION.keyId);
  viewOf(place).setUint16(4, SESSION.node16);
  viewOf(place).setUint16(6, SESSION.epoch);
  const crc = crc32c(sealed.subarray(0, 33), crc32c(place));
  viewOf(sealed).setUint32(33, crc);
  return sealed;
}

/** Runs `decode`: a result or an error that names itself, nothing else. */
async function decodes<T>(decode: () => T | Promise<T>): Promise<T | null> {
  try {
    return await decode();
  } catch (error) {
    assert.ok(error instanceof NodeError, `${error}`);
    return null;
  }
}

for (const at of [SHORT, LONG]) {
  const kind = at.hash === null ? "short" : "long";
  Deno.test(`openRecord() survives any row under a ${kind} key`, async () => {
    const key = at.hash === null ? at.bytes : new Uint8Array(2_000).fill(4);
    const record = {
      value: { data: new Uint8Array(40).fill(1), encoding: 2 as const },
      versionstamp: new Uint8Array(10).fill(3),
      expireAtMs: 99,
    };
    const place = { database: at.database, key };
    const { row } = await encodeRecord(SEALER, place, record);
    await fc.assert(
      fc.asyncProperty(
        damaged(row),
        fc.option(fc.uint8Array({ maxLength: 50 })),
        async (bytes, overflow) => {
          const opened = await decodes(() =>
            openRecord(SEALER, readRecordRow(at, bytes), overflow)
          );
          // Four random bytes pass a CRC once in 2^32: then it is the record.
          if (opened !== null) assert.deepEqual(opened, record);
        },
      ),
      RUNS,
    );
  });
}

Deno.test("openRecord() survives any header that is sealed", async () => {
  const { row } = await encodeRecord(
    SEALER,
    { database: 1, key: SHORT.bytes },
    {
      value: { data: new Uint8Array(9), encoding: 3 },
      versionstamp: new Uint8Array(10),
      expireAtMs: 0,
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 21, maxLength: 21 }),
      fc.boolean(),
      async (header, plausible) => {
        const bytes = row.slice();
        bytes.set(header);
        if (plausible) bytes.set([1, 0]);
        const place = { database: 1, key: SHORT.bytes };
        SEALER.seal(bytes, 21, place, row.subarray(21, 30));
        const opened = await decodes(() =>
          openRecord(SEALER, readRecordRow(SHORT, bytes), null)
        );
        if (opened === null) return;
        const again = await encodeRecord(SEALER, place, opened);
        assert.deepEqual(again.row, bytes);
      },
    ),
    RUNS,
  );
});

const META = encodeMeta({
  ...EMPTY_STATE,
  confState: { ...EMPTY_STATE.confState, voters: [1, 2, 3] },
  fsm: { ...EMPTY_STATE.fsm, clusterName: "prod" },
});

/** A meta row says nothing of encryption but that it is there. */
function encodeStored({ state, hasEncryption }: StoredMeta): Uint8Array {
  if (!hasEncryption) return encodeMeta(state);
  return encodeMeta(withEncryption(state, encryptionOf(1)));
}

const DECODERS: readonly (readonly [
  name: string,
  valid: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  encode: (decoded: never) => Uint8Array,
])[] = [
  ["decodeMeta", META, (bytes) => decodeMeta(bytes, new Map()), encodeStored],
  [
    "decodeMarker",
    encodeMarker({ next: 1, count: 2 }),
    decodeMarker,
    encodeMarker,
  ],
  [
    "decodeDatabase",
    encodeDatabase("orders", 2),
    (bytes) => decodeDatabase(bytes, 2),
    (name) => encodeDatabase(name, 2),
  ],
  [
    "decodeMembers",
    encodeMembers(
      new Map([[1, memberOf(1, "n1:4701")], [2, {
        ...memberOf(2),
        diskId: new Uint8Array(16).fill(1),
        protocolVersion: 1,
        promoteWhenCaughtUp: true,
      }]]),
    ),
    decodeMembers,
    encodeMembers,
  ],
  [
    "decodeRollout",
    encodeRollout(ROLLOUTS[1] as RolloutState),
    decodeRollout,
    encodeRollout,
  ],
  [
    "decodeMeta of version 2",
    encodeStored({ state: EMPTY_STATE, hasEncryption: true }),
    (bytes) => decodeMeta(bytes, new Map()),
    encodeStored,
  ],
  [
    "decodeSession",
    encodeSession({ ...SESSION, salt: new Uint8Array(32).fill(5) }),
    (bytes) => decodeSession(bytes, SESSION),
    encodeSession,
  ],
  [
    "decodeEncryption",
    encodeEncryption({
      ...{ encryption: encryptionOf(9), encryptionMac: macOf(1) },
    })[0]!,
    (bytes) => decodeEncryption([bytes]),
    (stored) => encodeEncryption(stored)[0]!,
  ],
];

for (const [name, valid, decode, encode] of DECODERS) {
  Deno.test(`${name}() survives any bytes and reads one form only`, async () => {
    await fc.assert(
      fc.asyncProperty(damaged(valid), fc.boolean(), async (changed, seal) => {
        const reseal = name === "decodeSession" ? resealedSession : resealed;
        const bytes = seal ? reseal(changed) : changed;
        const decoded = await decodes(() => decode(bytes));
        if (decoded !== null) {
          assert.deepEqual(encode(decoded as never), Uint8Array.from(bytes));
        }
      }),
      RUNS,
    );
  });
}

Deno.test("decodeEncryption() survives any parts and reads one form only", async () => {
  const states = [longEncryptionOf(9, 3), longEncryptionOf(9, 2)];
  const rows = states.flatMap((encryption) =>
    encodeEncryption({ encryption, encryptionMac: macOf(1) })
  );
  const part = fc.tuple(
    fc.nat(rows.length - 1),
    fc.array(fc.tuple(fc.nat(50), fc.nat(255)), { maxLength: 1 }),
  ).map(([nth, edits]) => {
    if (edits.length === 0) return rows[nth]!;
    const bytes = rows[nth]!.slice();
    for (const [at, byte] of edits) bytes[at] = byte;
    return resealed(bytes);
  });
  // Mostly in their places: other orders end at once.
  const inPlace = fc.constantFrom(rows.slice(0, 3), rows.slice(3));
  const parts = fc.oneof(
    fc.array(part, { maxLength: 6 }),
    fc.tuple(inPlace, fc.nat(2), part).map(([all, at, one]) =>
      all.map((row, i) => i === at ? one : row)
    ),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(parts, async (given) => {
      const decoded = await decodes(() => decodeEncryption(given));
      if (decoded === null) return;
      read += 1;
      const again = encodeEncryption(decoded);
      assert.deepEqual(again, given.map((row) => Uint8Array.from(row)));
    }),
    { numRuns: 1_000 },
  );
  assert.ok(read > 20, `only ${read} get through`);
});
