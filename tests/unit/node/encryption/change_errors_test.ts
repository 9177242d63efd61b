import assert from "node:assert/strict";
import { FileError } from "../../../../src/io/errors.ts";
import type { CustodyGap } from "../../../../src/keys/port.ts";
import {
  CapabilityUnprovenError,
  EncryptionGateClosedError,
  gapLine,
} from "../../../../src/node/encryption/change_errors.ts";

const FILE = new FileError("read", "/k/prod.kek", "it does not exist");
const GAPS: [gap: CustodyGap, line: RegExp][] = [
  [
    { kind: "flag" },
    /^encryption is off on this node: start it with --encryption-enabled and --kek$/,
  ],
  [
    { kind: "kek", cause: null },
    /^this node has no KEK: make one with `sealkv kek generate --out FILE`/,
  ],
  [
    { kind: "kek", cause: FILE },
    /^no KEK of this node works \(.*prod\.kek.*\): ./,
  ],
  [
    { kind: "sidecar", cause: new TypeError("odd") },
    /^the sidecar cannot be kept safely \(odd\): correct what .* --data-dir$/,
  ],
];
for (const [gap, line] of GAPS) {
  Deno.test(`gapLine() of ${gap.kind} says what is missing and what to do`, () => {
    assert.match(gapLine(gap), line);
    assert.ok(!gapLine(gap).includes("\n"));
  });
}

Deno.test("EncryptionGateClosedError lists every gap with its remedy", () => {
  const gaps = GAPS.map(([gap]) => gap);
  const { message, remedy } = new EncryptionGateClosedError("n1", gaps);
  assert.match(
    message,
    /"n1": encryption is off.*; this node has no KEK; no KEK .*; the sidecar /,
  );
  assert.match(remedy, /: start it with .*; make one with .*; .*; correct /);
  assert.ok(remedy.includes(FILE.remedy));
});

Deno.test("CapabilityUnprovenError names the unproven members only", () => {
  const proven = { member: "n1", code: "", message: "", remedy: "" };
  const other = { member: "n2", code: "X", message: "why", remedy: "do" };
  const error = new CapabilityUnprovenError("rotate the key", [proven, other]);
  assert.deepEqual(error.findings, [other]);
  assert.match(error.message, /^Cannot rotate the key as .*: n2 \(X: why\)$/);
  assert.match(error.remedy, /: n2: do$/);
});
