import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Bytes, concatBytes } from "../../../../src/base/bytes.ts";
import { EPOCH_MAX, KEYS_MAX } from "../../../../src/base/data_key.ts";
import { STATEMENT_BYTES_MAX } from "../../../../src/node/encryption/capability_packet.ts";
import {
  decodeStatement,
  encodeStatement,
  ENCRYPTION_PROTOCOL_VERSION,
  type Statement,
} from "../../../../src/node/encryption/capability_statement.ts";
import {
  type CapabilityStatement,
  CapabilityStatementSchema,
  SidecarState,
} from "../../../../src/node/gen/capability_pb.ts";
import { PROTOCOL_VERSION } from "../../../../src/transport/port.ts";

const SAFE = Number.MAX_SAFE_INTEGER;

function statementOf(given: Partial<Statement> = {}): Statement {
  return {
    protocolVersion: 2,
    build: "1.2.3",
    node: "n1",
    fullNodeId: 0x08b3_7b07_b558_d4c0n,
    epochs: new Map([[3, 1], [9, 7]]),
    sidecarIndex: 12,
    isEnabled: true,
    isFilesystemFit: true,
    term: 7,
    clusterId: new Uint8Array(16).fill(1),
    ...given,
  };
}

const MOST = new Map(
  Array.from({ length: KEYS_MAX }, (_, i) => [2 ** 32 - 1 - i, EPOCH_MAX]),
);
const STATEMENTS: [name: string, given: Partial<Statement>][] = [
  ["all there is", {}],
  ["no keys and no sidecar", { epochs: new Map(), sidecarIndex: null }],
  ["no flag", { isEnabled: false }],
  ["no fit filesystem", { isFilesystemFit: false }],
  ["another version", { protocolVersion: 2 ** 32 - 1, build: "" }],
  ["the largest numbers", {
    fullNodeId: 2n ** 64n - 1n,
    sidecarIndex: SAFE,
    term: SAFE,
    epochs: new Map([[2 ** 32 - 1, EPOCH_MAX]]),
  }],
];
for (const [name, given] of STATEMENTS) {
  Deno.test(`decodeStatement() reads back a statement of ${name}`, () => {
    const statement = statementOf(given);
    assert.deepEqual(decodeStatement(encodeStatement(statement)), statement);
  });
}

Deno.test("the longest statement fits its packet", () => {
  const bytes = encodeStatement(statementOf({
    epochs: MOST,
    node: "n".repeat(63),
    build: "9".repeat(63),
  }));
  assert.ok(bytes.length <= STATEMENT_BYTES_MAX);
  assert.equal(decodeStatement(bytes)!.epochs.size, KEYS_MAX);
});

Deno.test("encodeStatement() writes epochs in the order of keys", () => {
  const epochs = new Map([[9, 7], [3, 1]]);
  assert.deepEqual(
    encodeStatement(statementOf({ epochs })),
    encodeStatement(statementOf()),
  );
});

Deno.test("members of this release speak a version that knows encryption", () => {
  assert.ok(PROTOCOL_VERSION >= ENCRYPTION_PROTOCOL_VERSION);
});

/** Bytes of a message that `encodeStatement` would not make. */
function bytesOf(given: Partial<CapabilityStatement>): Bytes {
  const { $typeName: _, ...rest } = given;
  return toBinary(
    CapabilityStatementSchema,
    create(CapabilityStatementSchema, {
      protocolVersion: 2,
      node: "n1",
      clusterId: new Uint8Array(16),
      ...rest,
    }),
  );
}

Deno.test("decodeStatement() takes what a later version says as well", () => {
  const known = encodeStatement(statementOf());
  // Field 15, a string.
  const more = concatBytes(known, Uint8Array.of(0x7a, 2, 0x68, 0x69));
  assert.deepEqual(decodeStatement(more), statementOf());
});

const key = (keyId: number, epoch: number) => ({
  $typeName: "sealkv.node.v1.KeyEpoch" as const,
  keyId,
  epoch,
});
const BROKEN: [name: string, bytes: Bytes][] = [
  ["nothing", new Uint8Array(0)],
  ["noise", new Uint8Array(50).fill(255)],
  ["more than a packet holds", bytesOf({ build: "x".repeat(4_096) })],
  ["a term of 2^53", bytesOf({ term: 2n ** 53n })],
  [
    "a sidecar's index of 2^53",
    bytesOf({
      sidecar: SidecarState.PRESENT,
      sidecarIndex: 2n ** 53n,
    }),
  ],
  ["a shorter cluster id", bytesOf({ clusterId: new Uint8Array(15) })],
  ["a longer cluster id", bytesOf({ clusterId: new Uint8Array(17) })],
  ["no cluster id", bytesOf({ clusterId: new Uint8Array(0) })],
  ["a long build", bytesOf({ build: "x".repeat(1_025) })],
  ["a long name", bytesOf({ node: "x".repeat(1_025) })],
  ["a key twice", bytesOf({ epochs: [key(3, 1), key(3, 2)] })],
  ["an epoch beyond the last", bytesOf({ epochs: [key(3, EPOCH_MAX + 1)] })],
  [
    "too many keys",
    bytesOf({
      epochs: Array.from({ length: KEYS_MAX + 1 }, (_, i) => key(i + 1, 1)),
    }),
  ],
  [
    "a number written in more bytes",
    concatBytes(Uint8Array.of(8, 0x82, 0), bytesOf({}).subarray(2)),
  ],
  [
    "a field twice",
    concatBytes(Uint8Array.of(8, 1), bytesOf({})),
  ],
];
for (const [name, bytes] of BROKEN) {
  Deno.test(`decodeStatement() takes no statement of ${name}`, () => {
    assert.equal(decodeStatement(bytes), null);
  });
}

Deno.test("decodeStatement() reads a statement at its limits", () => {
  assert.ok(decodeStatement(bytesOf({})) !== null);
  const long = "x".repeat(1_024);
  assert.ok(decodeStatement(bytesOf({ build: long, node: long })) !== null);
  assert.ok(decodeStatement(bytesOf({ term: BigInt(SAFE) })) !== null);
});

Deno.test("decodeStatement() takes no part of a statement for it", () => {
  const statement = statementOf();
  const bytes = encodeStatement(statement);
  for (let length = 0; length < bytes.length; length += 1) {
    const read = decodeStatement(bytes.slice(0, length));
    assert.notDeepEqual(read, statement, `${length}`);
  }
});
