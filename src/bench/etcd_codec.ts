import { type Bytes, concatBytes } from "../base/bytes.ts";

/** Full names of the methods of etcd's KV service, version 3. */
export const ETCD_METHODS = {
  put: "/etcdserverpb.KV/Put",
  range: "/etcdserverpb.KV/Range",
  txn: "/etcdserverpb.KV/Txn",
} as const;

/** A PutRequest. Source: etcd 3.4 rpc.proto (key = 1, value = 2). */
export function encodePut(key: Uint8Array, value: Uint8Array): Bytes {
  return concatBytes(field(1, key), field(2, value));
}

/**
 * A RangeRequest for one key (key = 1, serializable = 7): linearizable, or
 * answered from what the member asked has.
 */
export function encodeRange(key: Uint8Array, isSerializable: boolean): Bytes {
  const flag = isSerializable ? [7 << 3, 1] : [];
  return concatBytes(field(1, key), new Uint8Array(flag));
}

/** A TxnRequest of encoded puts (success = 2, of RequestOp.request_put = 2). */
export function encodePutAll(puts: readonly Uint8Array[]): Bytes {
  return concatBytes(...puts.map((put) => field(2, field(2, put))));
}

/** A length-delimited field; numbers below 16. */
function field(number: number, bytes: Uint8Array): Bytes {
  const head = [number << 3 | 2];
  let rest = bytes.length;
  while (rest >= 0x80) {
    head.push(rest & 0x7f | 0x80);
    rest >>>= 7;
  }
  head.push(rest);
  return concatBytes(new Uint8Array(head), bytes);
}
