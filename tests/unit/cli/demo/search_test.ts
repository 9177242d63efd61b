import { deepEqual, equal } from "node:assert/strict";
import { indexOfBytes, TextSearch } from "../../../../src/cli/demo/search.ts";

const TEXT = "canary-0123abcd";
const PIECE_BYTES = 1_048_576;

async function withDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** `length` bytes with the text at `at`. */
function bytesWith(at: number, length: number): Uint8Array {
  // Its first letter everywhere: near misses.
  const bytes = new Uint8Array(length).fill(TEXT.charCodeAt(0));
  bytes.set(new TextEncoder().encode(TEXT), at);
  return bytes;
}

Deno.test("a part is found where it begins, and only whole", () => {
  const of = (text: string) => new TextEncoder().encode(text);
  const cases = [
    ["abc", "abc", 0],
    ["aababc", "abc", 3],
    ["xxabc", "abc", 2],
    ["xxab", "abc", -1],
    ["", "abc", -1],
    ["c", "c", 0],
    ["ab", "c", -1],
  ] as const;
  for (const [text, part, at] of cases) {
    equal(indexOfBytes(of(text), of(part)), at, `${part} in ${text}`);
  }
});

Deno.test("a text is found wherever pieces of a file are cut", async () => {
  await withDir(async (dir) => {
    const length = 2 * PIECE_BYTES + 100;
    for (
      const at of [
        0,
        PIECE_BYTES - TEXT.length,
        PIECE_BYTES - TEXT.length + 1,
        PIECE_BYTES - 1,
        PIECE_BYTES,
        length - TEXT.length,
      ]
    ) {
      await Deno.writeFile(`${dir}/file`, bytesWith(at, length));
      const { files } = await new TextSearch(TEXT).search(dir, true);
      deepEqual(files, ["file"], `at ${at}`);
    }
    await Deno.writeFile(`${dir}/file`, bytesWith(0, length).fill(0, 0, 1));
    const { files } = await new TextSearch(TEXT).search(dir, true);
    deepEqual(files, []);
  });
});

Deno.test("all files below a directory are searched, and counted", async () => {
  await withDir(async (dir) => {
    await Deno.mkdir(`${dir}/raft/wal`, { recursive: true });
    await Deno.writeTextFile(`${dir}/raft/wal/1.seg`, `..${TEXT}..`);
    await Deno.writeTextFile(`${dir}/b`, TEXT);
    await Deno.writeTextFile(`${dir}/a`, TEXT);
    await Deno.writeTextFile(`${dir}/other`, TEXT.slice(1));
    await Deno.writeTextFile(`${dir}/empty`, "");
    deepEqual(await new TextSearch(TEXT).search(dir, false), {
      files: ["a", "b", "raft/wal/1.seg"],
      searched: { files: 5, bytes: 19 + 15 + 15 + 14 },
    });
  });
});

Deno.test("a file is read again when it has changed, or all are to be", async () => {
  await withDir(async (dir) => {
    const path = `${dir}/file`;
    const search = new TextSearch(TEXT);
    const isFound = async (isWhole: boolean) =>
      (await search.search(dir, isWhole)).files.length === 1;
    const write = async (text: string, time: Date) => {
      await Deno.writeTextFile(path, text);
      await Deno.utime(path, time, time);
    };
    const [early, late] = [new Date(1_000), new Date(2_000)];
    const other = "x".repeat(TEXT.length);
    await write(TEXT, early);
    equal(await isFound(false), true);
    await write(other, late);
    equal(await isFound(false), false, "another time");
    await write(TEXT, late);
    equal(await isFound(false), false, "the same size and time");
    equal(await isFound(true), true, "every byte");
    await write(`${other}.`, late);
    equal(await isFound(false), false, "another size");
    await Deno.remove(path);
    equal(await isFound(false), false, "gone");
  });
});

Deno.test("a directory that is not there has no files", async () => {
  await withDir(async (dir) => {
    const search = new TextSearch(TEXT);
    const nothing = { files: [], searched: { files: 0, bytes: 0 } };
    deepEqual(await search.search(`${dir}/none`, true), nothing);
  });
});
