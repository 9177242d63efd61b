import type { DirectoryEntry, Disk } from "../io/disk.ts";

/** Removes a file, or a directory with all that is in it. */
export async function removeTree(
  disk: Disk,
  { name, isDirectory }: DirectoryEntry,
  parent: string,
): Promise<void> {
  const path = `${parent}/${name}`;
  if (isDirectory) {
    for (const entry of await disk.list(path)) {
      await removeTree(disk, entry, path);
    }
  }
  await disk.remove(path);
}
