const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A year: longer waits and lives are typing errors. */
export const DURATION_MS_MAX = 366 * UNIT_MS.d;

/** Reads `500ms`, `10s`, `5m`, `2h` or `7d` (≥ 1 ms); else `null`. */
export function parseDuration(text: string): number | null {
  const match = /^([0-9]{1,12})(ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  const [, count, unit] = match;
  const durationMs = Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return durationMs >= 1 && durationMs <= DURATION_MS_MAX ? durationMs : null;
}
