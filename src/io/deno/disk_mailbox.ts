/*
 * The shared memory between a disk and its worker. One request is outstanding
 * at a time; the worker sleeps in `Atomics.wait`, which wakes it in a few
 * microseconds where a posted message takes several times that.
 *
 *     offset  bytes  field
 *     0       4      i32 count of requests made
 *     4       4      i32 verb
 *     8       4      i32 file handle
 *     12      4      i32 length of the data
 *     16      8      f64 offset in the file
 *     64      n      data: bytes to write, or a path in UTF-8
 */
const DATA_AT = 64;

/** Longest piece one request carries; longer writes take several. */
export const MAILBOX_DATA_BYTES = 2 ** 20;

export const MAILBOX_REQUESTS = 0;
export const MAILBOX_VERB = 1;
export const MAILBOX_HANDLE = 2;
export const MAILBOX_LENGTH = 3;

export const VERB_OPEN = 1;
export const VERB_WRITE = 2;
export const VERB_WRITE_AND_SYNC = 3;
export const VERB_CLOSE = 4;
export const VERB_QUIT = 5;

export interface Mailbox {
  readonly memory: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly offset: Float64Array;
  readonly data: Uint8Array;
}

/** Lays the fields over `memory`, or over fresh memory. */
export function mailbox(
  memory: SharedArrayBuffer = new SharedArrayBuffer(
    DATA_AT + MAILBOX_DATA_BYTES,
  ),
): Mailbox {
  return {
    memory,
    words: new Int32Array(memory, 0, 4),
    offset: new Float64Array(memory, 16, 1),
    data: new Uint8Array(memory, DATA_AT),
  };
}

/** What the worker answers to each request, in order. */
export type MailboxReply =
  | { readonly ok: true }
  | {
    readonly ok: false;
    readonly code: string | null;
    readonly message: string;
    readonly stage: "open" | "write" | "sync";
  };
