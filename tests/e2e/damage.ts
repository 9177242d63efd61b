import { equal, ok } from "node:assert/strict";

/** Flips the lowest bit at `offset`; called again it puts it back. */
export async function flip(path: string, offset: number): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  await file.seek(offset, Deno.SeekMode.Start);
  equal(await file.read(byte), 1);
  byte[0]! ^= 1;
  await file.seek(offset, Deno.SeekMode.Start);
  await file.write(byte);
}

/** Last offset of `text` in `path`; -1 when it is not there. */
export async function offsetOf(path: string, text: string): Promise<number> {
  const latin1 = new TextDecoder("latin1").decode(await Deno.readFile(path));
  return latin1.lastIndexOf(text);
}

/** Segments of the log, oldest first. */
export async function segmentsOf(dataDir: string): Promise<readonly string[]> {
  const dir = `${dataDir}/raft/wal`;
  const names = (await Array.fromAsync(Deno.readDir(dir)))
    .map(({ name }) => name).filter((name) => name.endsWith(".seg")).sort();
  ok(names.length > 0, "there is a segment");
  return names.map((name) => `${dir}/${name}`);
}
