/** Records that are loaded when nobody says how many. */
export const RECORDS = { read: 50_000, load: 1_000_000 } as const;
