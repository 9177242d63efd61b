/** Unix ms as UTC, to the second. */
export function timeText(ms: bigint): string {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime())
    ? "-"
    : date.toISOString().replace(/\.\d+/, "");
}
