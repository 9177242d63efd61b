/** Unix ms as UTC, to the second; the number when there is no such date. */
export function timeText(ms: number | bigint): string {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime())
    ? `${ms} ms`
    : date.toISOString().replace(/\.\d+/, "");
}
