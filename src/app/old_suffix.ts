/** What is appended to the name of a file that is moved aside. */
export function oldSuffix(wallMs: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, "");
  return `.old-${stamp}`;
}

/** Matches names that end with such a suffix. */
export const OLD_SUFFIX = /\.old-[0-9]{8}T[0-9]{6}Z$/;
