/*
 * Goal: docs/admin_rpc.md names every admin call, and no other.
 * Method: compare its tables with the services of src/admin/*.proto.
 */
import { deepEqual, ok } from "node:assert/strict";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("docs/admin_rpc.md lists every call, and no other", () => {
  const calls = ["admin", "encryption"].flatMap((name) =>
    [...read(`src/admin/${name}.proto`).matchAll(/^ +rpc (\w+)\(/gm)]
      .map(([, call]) => call)
  );
  ok(calls.length > 20, `only ${calls.length}: the pattern is stale`);
  const rows = [...read("docs/admin_rpc.md").matchAll(/^\| (`.*?) +\|/gm)];
  const listed = rows.flatMap(([, row = ""]) =>
    [...row.matchAll(/`(\w+)`/g)].map(([, call]) => call)
  );
  deepEqual(listed.toSorted(), calls.toSorted());
});

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
