import assert from "node:assert/strict";
import { ERROR_CODES } from "../../../src/base/error_code.ts";
import { NodeError } from "../../../src/base/error.ts";
import * as errors from "../../../src/wal/errors.ts";

const PLACE = { segment: "s.seg", offset: 512, expectedSeq: 7 };

Deno.test("the wal's errors name a code, the place and a remedy", () => {
  const all: [error: NodeError, names: string][] = [
    [new errors.WalExistsError("raft"), '"raft"'],
    [new errors.WalClosedError("raft"), '"raft"'],
    [new errors.WalDamagedError(PLACE, "rot"), 'offset 512 of "s.seg"'],
    [new errors.WalForeignError("s.seg", "node name", "n1", "n2"), '"n2"'],
    [new errors.WalFormatUnsupportedError("s.seg", 9), "current value is 9"],
    [new errors.WalInconsistentError(PLACE, "rule"), 'offset 512 of "s.seg"'],
    [new errors.WalLockedError("raft/LOCK"), '"raft/LOCK"'],
    [new errors.WalMissingError("raft"), '"raft"'],
    [new errors.WalCompactedError(3, 9), "9"],
    [new errors.WalSegmentMissingError("raft", 4), "segment 4"],
    [new errors.WalWriteFailedError("raft"), '"raft"'],
  ];
  const codes = all.map(([error]) => error.code).sort();
  assert.deepEqual(codes, ERROR_CODES.filter((code) => /^WAL_/.test(code)));
  for (const [error, names] of all) {
    assert.ok(error instanceof NodeError);
    assert.match(error.message, /^Cannot /);
    assert.ok(error.message.includes(names), error.message);
    assert.ok(!error.message.endsWith("."));
    assert.ok(error.remedy.length > 10);
    assert.equal(error.name, error.constructor.name);
  }
});
