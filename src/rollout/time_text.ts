/** Unix ms as UTC, to the second; the number when there is no such date. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime())
    ? `${ms} ms`
    : date.toISOString().replace(/\.\d+/, "");
}
