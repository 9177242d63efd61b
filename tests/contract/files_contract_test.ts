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

const isUnix = Deno.build.os !== "windows";

Deno.test({
  name: "denoFiles() readPrivate() tells the mode, through a link as well",
  ignore: !isUnix,
  fn: () =>
    withDirectory(async ({ files, root }) => {
      await Deno.writeTextFile(`${root}/t`, "x");
      await Deno.symlink(`${root}/t`, `${root}/link`);
      for (const mode of [0o600, 0o400, 0o640, 0o604, 0o777, 0o4711]) {
        await Deno.chmod(`${root}/t`, mode);
        for (const name of ["t", "link"]) {
          const found = await files.readPrivate(`${root}/${name}`, 9);
          assert.equal(found?.mode, mode);
          assert.equal(found?.isRegular, true);
        }
      }
    }),
});

Deno.test({
  name: "denoFiles() readPrivate() does not wait for what is no regular file",
  ignore: !isUnix,
  fn: () =>
    withDirectory(async ({ files, root }) => {
      const made = await new Deno.Command("mkfifo", { args: [`${root}/pipe`] })
        .output();
      assert.ok(made.success);
      await Deno.symlink(`${root}/pipe`, `${root}/link`);
      for (const path of [root, `${root}/pipe`, `${root}/link`, "/dev/zero"]) {
        const found = await files.readPrivate(path, 9);
        assert.equal(found?.isRegular, false, path);
        assert.equal(found?.bytes.length, 0);
      }
    }),
});

Deno.test({
  name: "denoFiles() readPrivate() names what the system refuses",
  ignore: !isUnix,
  fn: () =>
    withDirectory(async ({ files, root }) => {
      await Deno.writeTextFile(`${root}/file`, "x");
      await assert.rejects(
        () => files.readPrivate(`${root}/file/below`, 9),
        FileError,
      );
      await assert.rejects(
        () => files.readPrivate(`${root}/${"n".repeat(300)}`, 9),
        FileError,
      );
    }),
});

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
