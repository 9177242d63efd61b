import assert from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import { FileError } from "../../src/io/errors.ts";
import type { Files } from "../../src/io/files.ts";

export interface FilesUnderTest {
  readonly files: Files;
  /** A directory of the test's own. */
  readonly root: string;
}

/** What every `Files` does, whatever stands behind it. */
export function runFilesContract(
  name: string,
  withFiles: (body: (given: FilesUnderTest) => Promise<void>) => Promise<void>,
): void {
  Deno.test(`${name}: read() gives what createPrivate() made`, () =>
    withFiles(async ({ files, root }) => {
      const path = `${root}/deep/er/token`;
      assert.equal(await files.createPrivate(path, utf8("abc")), true);
      const content = await files.read(path, 3);
      assert.deepEqual(content, {
        bytes: utf8("abc"),
        isOpenToOthers: false,
      });
    }));

  Deno.test(`${name}: read() of a missing file is null`, () =>
    withFiles(async ({ files, root }) => {
      assert.equal(await files.read(`${root}/none`, 10), null);
    }));

  Deno.test(`${name}: read() refuses a file above the limit`, () =>
    withFiles(async ({ files, root }) => {
      const path = `${root}/long`;
      await files.createPrivate(path, utf8("abcd"));
      await assert.rejects(() => files.read(path, 3), FileError);
      assert.equal((await files.read(path, 4))?.bytes.length, 4);
    }));

  Deno.test(`${name}: createPrivate() never replaces a file`, () =>
    withFiles(async ({ files, root }) => {
      const path = `${root}/once`;
      assert.equal(await files.createPrivate(path, utf8("first")), true);
      assert.equal(await files.createPrivate(path, utf8("second")), false);
      assert.deepEqual((await files.read(path, 10))?.bytes, utf8("first"));
    }));

  Deno.test(`${name}: append() makes a file and adds to its end`, () =>
    withFiles(async ({ files, root }) => {
      const path = `${root}/lines`;
      await files.append(path, utf8("one"));
      await files.append(path, utf8(" two"));
      assert.deepEqual(await files.readPrivate(path, 10), {
        bytes: utf8("one two"),
        isRegular: true,
        mode: 0o600,
      });
    }));

  Deno.test(`${name}: readPrivate() tells what createPrivate() made`, () =>
    withFiles(async ({ files, root }) => {
      const path = `${root}/secret`;
      await files.createPrivate(path, utf8("abc"));
      assert.deepEqual(await files.readPrivate(path, 4), {
        bytes: utf8("abc"),
        isRegular: true,
        mode: 0o600,
      });
    }));

  Deno.test(`${name}: readPrivate() reads no byte above the limit`, () =>
    withFiles(async ({ files, root }) => {
      const path = `${root}/long`;
      await files.createPrivate(path, utf8("abcdef"));
      const bytesOf = async (bytesMax: number) =>
        (await files.readPrivate(path, bytesMax))?.bytes;
      assert.deepEqual(await bytesOf(5), utf8("abcde"));
      assert.deepEqual(await bytesOf(6), utf8("abcdef"));
      assert.deepEqual(await bytesOf(7), utf8("abcdef"));
    }));

  Deno.test(`${name}: readPrivate() of a missing file is null`, () =>
    withFiles(async ({ files, root }) => {
      assert.equal(await files.readPrivate(`${root}/none`, 10), null);
    }));
}
