import { assert } from "../../base/assert.ts";
import { utf8 } from "../../base/bytes.ts";
import type { DiskError } from "../errors.ts";
import { diskFailure } from "./disk_failure.ts";
import {
  mailbox,
  MAILBOX_DATA_BYTES,
  MAILBOX_HANDLE,
  MAILBOX_LENGTH,
  MAILBOX_REQUESTS,
  MAILBOX_VERB,
  type MailboxReply,
  VERB_CLOSE,
  VERB_OPEN,
  VERB_QUIT,
  VERB_WRITE,
  VERB_WRITE_AND_SYNC,
} from "./disk_mailbox.ts";

/**
 * The thread that writes and syncs, as the disk's own thread sees it.
 *
 * Requests are carried one at a time in the order they were made. The thread
 * starts with the first request and runs until `quit`.
 */
export class SyncThread {
  readonly #box = mailbox();
  #worker: Worker | null = null;
  #settle: ((reply: MailboxReply) => void) | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #handles = 0;

  /** Opens `path` on the thread; the handle is for the other calls. */
  open(path: string): Promise<number> {
    return this.#inOrder(async () => {
      this.#handles += 1;
      const handle = this.#handles;
      const name = utf8(path);
      assert(name.length <= MAILBOX_DATA_BYTES, "a path fits the mailbox");
      await this.#request(VERB_OPEN, handle, 0, name, path);
      return handle;
    });
  }

  /** Writes all of `bytes` at `offset` and makes them durable. */
  writeAndSync(
    handle: number,
    offset: number,
    bytes: Uint8Array,
    path: string,
  ): Promise<void> {
    return this.#inOrder(async () => {
      let done = 0;
      for (; bytes.length - done > MAILBOX_DATA_BYTES;) {
        const piece = bytes.subarray(done, done + MAILBOX_DATA_BYTES);
        await this.#request(VERB_WRITE, handle, offset + done, piece, path);
        done += piece.length;
      }
      const rest = bytes.subarray(done);
      const verb = VERB_WRITE_AND_SYNC;
      await this.#request(verb, handle, offset + done, rest, path);
    });
  }

  close(handle: number, path: string): Promise<void> {
    return this.#inOrder(() =>
      this.#request(VERB_CLOSE, handle, 0, new Uint8Array(0), path)
    );
  }

  /** Ends the thread after the requests made so far. */
  quit(): Promise<void> {
    return this.#inOrder(async () => {
      const worker = this.#worker;
      if (worker === null) return;
      await this.#request(VERB_QUIT, 0, 0, new Uint8Array(0), "");
      worker.terminate();
      this.#worker = null;
    });
  }

  #inOrder<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => {});
    return result;
  }

  async #request(
    verb: number,
    handle: number,
    offset: number,
    data: Uint8Array,
    path: string,
  ): Promise<void> {
    this.#worker ??= this.#start();
    const { words } = this.#box;
    this.#box.data.set(data);
    this.#box.offset[0] = offset;
    words[MAILBOX_VERB] = verb;
    words[MAILBOX_HANDLE] = handle;
    words[MAILBOX_LENGTH] = data.length;
    const reply = await new Promise<MailboxReply>((resolve) => {
      this.#settle = resolve;
      Atomics.add(words, MAILBOX_REQUESTS, 1);
      Atomics.notify(words, MAILBOX_REQUESTS);
    });
    if (!reply.ok) throw threadFailure(reply, path);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./disk_worker.ts", import.meta.url), {
      type: "module",
    });
    worker.onmessage = (event: MessageEvent<MailboxReply>) => {
      const settle = this.#settle;
      this.#settle = null;
      assert(settle !== null, "the thread answers only what it was asked");
      settle(event.data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#settle?.({
        ok: false,
        code: null,
        message: event.message,
        stage: "write",
      });
      this.#settle = null;
    };
    worker.postMessage(this.#box.memory);
    return worker;
  }
}

function threadFailure(
  reply: MailboxReply & { readonly ok: false },
  path: string,
): DiskError {
  const cause = Object.assign(new Error(reply.message), { code: reply.code });
  return diskFailure(cause, reply.stage, path);
}
