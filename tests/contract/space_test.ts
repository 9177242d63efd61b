import { deepEqual, ok } from "node:assert/strict";
import { denoSpaceOf } from "../../src/io/deno/space.ts";

const HIDDEN = { freeBytes: 0n, totalBytes: 0n };

Deno.test("denoSpaceOf() is the room of the file system", async () => {
  const { freeBytes, totalBytes } = await denoSpaceOf(".");
  ok(freeBytes > 0n && freeBytes <= totalBytes);
});

Deno.test("denoSpaceOf() of what is not there is hidden", async () => {
  deepEqual(await denoSpaceOf("/no/such/path"), HIDDEN);
});

Deno.test({
  name: "denoSpaceOf() without the permission is hidden",
  permissions: { read: true, sys: false },
  fn: async () => deepEqual(await denoSpaceOf("."), HIDDEN),
});
