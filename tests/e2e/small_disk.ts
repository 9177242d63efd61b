/*
 * Disks that fill up or fail, for members to live on. They need the right to
 * mount: without it `HAS_MOUNTS` is false, and their tests are ignored.
 */
import { equal } from "node:assert/strict";

const MIB = 1024 * 1024;
/** So that, repaired, it can hold all that the disk on it can. */
const SLACK_MIB = 4;

/** True where this process may mount a file system. */
export const HAS_MOUNTS = await canMount();

/** A file system of its own at `path`, that can be made full or broken. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** From now on what is written fails. */
  breakDown(): Promise<void>;
  /** Takes that back. */
  repair(): Promise<void>;
}

/** A disk of `mib` MiB; broken, it is full. */
export async function fillableDisk(mib: number): Promise<SmallDisk> {
  const path = await Deno.makeTempDir({ prefix: "sealkv-disk-" });
  await run("mount", "-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", path);
  return {
    path,
    breakDown: () => fill(`${path}/ballast`),
    repair: () => Deno.remove(`${path}/ballast`),
    [Symbol.asyncDispose]: () => unmount(path),
  };
}

/**
 * A disk of `mib` MiB; broken, the device below it takes no more writes, so
 * that a sync fails with an I/O error: an ext4 on a sparse file, whose own disk
 * is made full.
 */
export async function failingDisk(mib: number): Promise<SmallDisk> {
  const below = await fillableDisk(mib + SLACK_MIB);
  const path = await Deno.makeTempDir({ prefix: "sealkv-disk-" });
  const image = `${below.path}/image`;
  let device = "";
  try {
    await run("truncate", "-s", `${mib}M`, image);
    device = (await run("losetup", "--find", "--show", image)).trim();
    await run("mkfs.ext4", "-q", "-O", "^has_journal", device);
    await run("mount", device, path);
  } catch (error) {
    if (device !== "") await run("losetup", "--detach", device);
    await below[Symbol.asyncDispose]();
    await Deno.remove(path);
    throw error;
  }
  return {
    path,
    breakDown: below.breakDown,
    repair: below.repair,
    async [Symbol.asyncDispose]() {
      await unmount(path);
      await run("losetup", "--detach", device);
      await below[Symbol.asyncDispose]();
    },
  };
}

/** Writes zeros until there is no space. */
async function fill(path: string): Promise<void> {
  using file = await Deno.create(path);
  for (let bytes = new Uint8Array(MIB); bytes.length > 0;) {
    try {
      const count = await file.write(bytes);
      if (count < bytes.length) bytes = bytes.subarray(count);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      bytes = bytes.subarray(0, bytes.length >> 1);
    }
  }
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && /os error 28/.test(error.message);
}

async function unmount(path: string): Promise<void> {
  // Lazily: a killed process may hold it for another moment.
  await run("umount", "--lazy", path);
  await Deno.remove(path);
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const path = await Deno.makeTempDir({ prefix: "sealkv-disk-" });
  try {
    const args = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path];
    const { success } = await new Deno.Command("mount", { args }).output();
    if (success) await run("umount", path);
    return success;
  } finally {
    await Deno.remove(path);
  }
}

async function run(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args })
    .output();
  const said = new TextDecoder().decode(stderr);
  equal(code, 0, `${command} ${args.join(" ")}: ${said}`);
  return new TextDecoder().decode(stdout);
}
