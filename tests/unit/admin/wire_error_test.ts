import assert from "node:assert/strict";
import { RemoteError } from "../../../src/admin/errors.ts";
import { fromWireError, toWireError } from "../../../src/admin/wire_error.ts";
import { NodeError } from "../../../src/base/error.ts";
import { MemberUnknownError } from "../../../src/node/member_errors.ts";

class ListError extends NodeError {
  override readonly name = "ListError";
  override readonly code = "NODE_MEMBER_SILENT";
  override readonly remedy = "Start them";

  constructor(fields: object) {
    super("Cannot go on");
    Object.assign(this, fields);
  }
}

const CASES: [error: NodeError, nodes: string | undefined][] = [
  [new MemberUnknownError("n9"), "n9"],
  [new ListError({}), undefined],
  [new ListError({ members: ["n2", "n3"] }), "n2,n3"],
  [new ListError({ failures: [{ member: "n2", failure: "x" }] }), "n2"],
  [new ListError({ findings: [{ member: "n2", records: 3 }] }), "n2"],
  [new ListError({ uses: [{ member: "n1", use: "u" }, 7] }), "n1"],
  [new ListError({ members: 7, uses: null }), undefined],
];
for (const [error, nodes] of CASES) {
  Deno.test(`toWireError() of ${JSON.stringify(error)} names ${nodes}`, () => {
    const back = fromWireError(toWireError(error));
    assert.ok(back instanceof RemoteError);
    assert.deepEqual([back.code, back.remedy], [error.code, error.remedy]);
    assert.equal(back.details["nodes"], nodes);
  });
}
