/** The rows to show when `height` of `count` fit and `at` must be seen. */
export function windowOf({ count, height, at }: {
  readonly count: number;
  readonly height: number;
  readonly at: number;
}): { readonly from: number; readonly until: number } {
  const room = Math.max(0, height);
  const from = Math.max(
    0,
    Math.min(at - Math.floor(room / 2), count - room),
  );
  return { from, until: Math.min(count, from + room) };
}
