/** Castagnoli polynomial 0x1EDC6F41, reflected. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

/** TABLES[s * 256 + b]: effect of byte b, s bytes before the end of a slice. */
const TABLES = buildTables();

/**
 * CRC-32C of `bytes`, continuing from `previous` (0 to start).
 *
 * `crc32c("123456789")` is 0xe3069283. Slicing-by-8; zlib's crc32 is another
 * polynomial.
 *
 * Source: RFC 3720 appendix B.4.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const table = TABLES;
  let crc = ~previous;
  let i = 0;
  for (const until = bytes.length - (SLICES - 1); i < until; i += SLICES) {
    const low = crc ^
      (byteAt(bytes, i) | byteAt(bytes, i + 1) << 8 |
        byteAt(bytes, i + 2) << 16 | byteAt(bytes, i + 3) << 24);
    crc = byteAt(table, 7 * 256 + (low & 0xff)) ^
      byteAt(table, 6 * 256 + (low >>> 8 & 0xff)) ^
      byteAt(table, 5 * 256 + (low >>> 16 & 0xff)) ^
      byteAt(table, 4 * 256 + (low >>> 24)) ^
      byteAt(table, 3 * 256 + byteAt(bytes, i + 4)) ^
      byteAt(table, 2 * 256 + byteAt(bytes, i + 5)) ^
      byteAt(table, 256 + byteAt(bytes, i + 6)) ^
      byteAt(table, byteAt(bytes, i + 7));
  }
  for (; i < bytes.length; i += 1) {
    crc = byteAt(table, (crc ^ byteAt(bytes, i)) & 0xff) ^ crc >>> 8;
  }
  return ~crc >>> 0;
}

function byteAt(from: Uint8Array | Int32Array, index: number): number {
  return from[index] as number;
}

function buildTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 1) === 1 ? crc >>> 1 ^ POLYNOMIAL : crc >>> 1;
    }
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i += 1) {
    const crc = byteAt(tables, i - 256);
    tables[i] = byteAt(tables, crc & 0xff) ^ crc >>> 8;
  }
  return tables;
}
