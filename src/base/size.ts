const UNIT_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Reads a whole number with B, KiB, MiB or GiB, as 50MiB; else `null`. */
export function parseSize(text: string): number | null {
  const match = /^([0-9]{1,12})(B|KiB|MiB|GiB)$/.exec(text);
  if (match === null) return null;
  const [, count, unit] = match;
  const bytes = Number(count) * UNIT_BYTES[unit as keyof typeof UNIT_BYTES];
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Writes what `parseSize` reads, in the largest unit that is whole. */
export function formatSize(bytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"] as const) {
    const count = bytes / UNIT_BYTES[unit];
    if (count >= 1 && Number.isInteger(count)) return `${count}${unit}`;
  }
  return `${bytes}B`;
}
