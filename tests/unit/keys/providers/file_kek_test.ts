import { equal, match, rejects } from "node:assert/strict";
import { FileError } from "../../../../src/io/errors.ts";
import {
  InsecureKekFileError,
  KekSourceInvalidError,
  KekUnavailableError,
} from "../../../../src/keys/kek_errors.ts";
import { openFileKek } from "../../../../src/keys/providers/file_kek.ts";
import { assertShowsNone } from "../../../contract/secret_forms.ts";
import { rawKek, simKekPorts } from "../sim_kek_ports.ts";

const PATH = "/keys/kek";

function given(raw: Uint8Array<ArrayBuffer>, mode = 0o600) {
  const ports = simKekPorts();
  ports.files.contents.set(PATH, raw);
  ports.files.modes.set(PATH, mode);
  return ports;
}

Deno.test("openFileKek() takes files that their owner alone may use", async () => {
  for (const mode of [0o600, 0o400, 0o700, 0o4600]) {
    const kek = await openFileKek(PATH, given(rawKek(), mode));
    match(kek.id, /^file:[0-9a-f]{16}$/);
  }
});

Deno.test("openFileKek() refuses every bit of group and others", async () => {
  for (const bit of [0o040, 0o020, 0o010, 0o004, 0o002, 0o001]) {
    const raw = rawKek();
    await rejects(
      openFileKek(PATH, given(raw, 0o600 | bit)),
      (error) => {
        assertShowsNone(error, [raw]);
        return error instanceof InsecureKekFileError &&
          error.mode === (0o600 | bit) && error.path === PATH;
      },
    );
  }
});

Deno.test("openFileKek() refuses what is no regular file", async () => {
  const ports = given(rawKek());
  ports.files.irregular.add(PATH);
  await rejects(
    openFileKek(PATH, ports),
    (error) => error instanceof InsecureKekFileError && error.mode === null,
  );
});

Deno.test("openFileKek() checks no mode where there is none", async () => {
  const ports = given(rawKek());
  const { readPrivate } = ports.files;
  const files = {
    ...ports.files,
    readPrivate: async (path: string, bytesMax: number) => {
      const file = await readPrivate(path, bytesMax);
      return file === null ? null : { ...file, mode: null };
    },
  };
  match((await openFileKek(PATH, { ...ports, files })).id, /^file:/);
});

Deno.test("openFileKek() refuses any other length, and shows none of it", async () => {
  for (const length of [0, 1, 31, 33, 64, 65]) {
    const raw = Uint8Array.from({ length }, (_, i) => 0x61 + i % 26);
    await rejects(openFileKek(PATH, given(raw)), (error) => {
      if (length > 8) assertShowsNone(error, [raw, raw.slice(0, 32)]);
      equal(error instanceof KekUnavailableError, true);
      equal((error as KekUnavailableError).trouble, "malformed");
      const shown = length > 32 ? "more than 32" : `${length}`;
      match((error as Error).message, new RegExp(`is ${shown} bytes$`));
      return true;
    });
  }
});

Deno.test("openFileKek() reads 33 bytes at most", async () => {
  const ports = given(rawKek());
  const asked: number[] = [];
  const { readPrivate } = ports.files;
  const files = {
    ...ports.files,
    readPrivate: (path: string, bytesMax: number) => {
      asked.push(bytesMax);
      return readPrivate(path, bytesMax);
    },
  };
  await openFileKek(PATH, { ...ports, files });
  equal(asked.join(), "33");
});

Deno.test("openFileKek() wipes what it read, used or not", async () => {
  for (const [length, mode] of [[32, 0o600], [32, 0o644], [33, 0o600]]) {
    const bytes = new Uint8Array(length!).fill(7);
    const ports = simKekPorts();
    const file = { bytes, isRegular: true, mode: mode! };
    const files = { ...ports.files, readPrivate: async () => file };
    await openFileKek(PATH, { ...ports, files }).catch(() => {});
    equal(bytes.some((byte) => byte !== 0), false, `${length} ${mode}`);
  }
});

Deno.test("openFileKek() names a file that is not there", async () => {
  await rejects(
    openFileKek("/none", simKekPorts()),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "missing" &&
      error.kek === "file:/none",
  );
});

Deno.test("openFileKek() names a file that the system refuses", async () => {
  const ports = simKekPorts();
  const cause = new FileError("read", PATH, "the system refuses it");
  const files = {
    ...ports.files,
    readPrivate: () => Promise.reject(cause),
  };
  await rejects(
    openFileKek(PATH, { ...ports, files }),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "denied" &&
      error.cause === cause,
  );
});

Deno.test("openFileKek() takes no path that is none", async () => {
  for (const path of ["", "a\0b"]) {
    await rejects(openFileKek(path, simKekPorts()), KekSourceInvalidError);
  }
});
