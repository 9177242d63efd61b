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

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** For people, in at most 8 characters: 0 B, 812 B, 1.5 KiB, 100 MiB. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // The largest unit in which it is at least 1, once it is rounded.
  while (value >= 1_023.5 && unit < SIZES.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${SIZES[unit]}`;
}
