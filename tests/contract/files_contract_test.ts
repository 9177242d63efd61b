import assert from "node:assert/strict";
import { denoFiles } from "../../src/io/deno/files.ts";
import { FileError } from "../../src/io/errors.ts";
import { memoryFiles } from "../sim/io/files.ts";
import { runFilesContract } from "./files_contract.ts";

runFilesContract(
  "memory",
  (body) => body({ files: memoryFiles(), root: "/r" }),
);

runFilesContract("deno", withDirectory);

Deno.test("denoFiles() makes files 0600 and leaves no drafts", () =>
  withDirectory(async ({ files, root }) => {
    await files.createPrivate(`${root}/d/t`, new Uint8Array(5));
    await files.createPrivate(`${root}/d/t`, new Uint8Array(6));
    const names = [...Deno.readDirSync(`${root}/d`)].map(({ name }) => name);
    assert.deepEqual(names, ["t"]);
    assert.equal((await Deno.stat(`${root}/d/t`)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(`${root}/d`)).mode! & 0o777, 0o700);
  }));

Deno.test("denoFiles() names files that others may read", () =>
  withDirectory(async ({ files, root }) => {
    await Deno.writeTextFile(`${root}/t`, "x", { mode: 0o644 });
    await Deno.chmod(`${root}/t`, 0o644);
    assert.equal((await files.read(`${root}/t`, 9))?.isOpenToOthers, true);
    await Deno.chmod(`${root}/t`, 0o640);
    assert.equal((await files.read(`${root}/t`, 9))?.isOpenToOthers, false);
  }));

Deno.test("denoFiles() read() refuses a directory", () =>
  withDirectory(async ({ files, root }) => {
    await assert.rejects(() => files.read(root, 9), FileError);
  }));

async function withDirectory(
  body: (
    given: { files: ReturnType<typeof denoFiles>; root: string },
  ) => Promise<
    void
  >,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "sealkv_files_" });
  try {
    await body({ files: denoFiles(), root });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
