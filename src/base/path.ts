/** The directory that `path` is in: "." for a bare name, "/" below the root. */
export function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  if (end === -1) return ".";
  return end === 0 ? "/" : path.slice(0, end);
}
