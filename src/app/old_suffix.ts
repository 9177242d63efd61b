/** What is appended to the name of a file that is moved aside. */
export function oldSuffix(wallMs: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, "");
  return `.old-${stamp}`;
}
