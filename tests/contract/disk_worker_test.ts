/*
 * Goal: the thread that writes and syncs serves each request once.
 * Method: the real thread, to which a test speaks as SyncThread does, but wakes
 * it when there is no request: as a wake does that comes late.
 */
import { deepEqual, equal } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { utf8 } from "../../src/base/bytes.ts";
import {
  mailbox,
  MAILBOX_HANDLE,
  MAILBOX_LENGTH,
  MAILBOX_REQUESTS,
  MAILBOX_VERB,
  type MailboxReply,
  VERB_OPEN,
  VERB_QUIT,
  VERB_WRITE_AND_SYNC,
} from "../../src/io/deno/disk_mailbox.ts";

const HANDLE = 1;

class Thread {
  readonly replies: MailboxReply[] = [];
  readonly #box = mailbox();
  readonly #worker = new Worker(
    new URL("../../src/io/deno/disk_worker.ts", import.meta.url),
    { type: "module" },
  );
  #heard = Promise.withResolvers<void>();

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<MailboxReply>) => {
      this.replies.push(data);
      this.#heard.resolve();
    };
    this.#worker.postMessage(this.#box.memory);
  }

  /** Wakes it, once it sleeps. */
  async wake(): Promise<void> {
    const { words } = this.#box;
    while (Atomics.notify(words, MAILBOX_REQUESTS) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async ask(verb: number, offset: number, data: Uint8Array): Promise<void> {
    const { words } = this.#box;
    this.#heard = Promise.withResolvers();
    this.#box.data.set(data);
    this.#box.offset[0] = offset;
    words[MAILBOX_VERB] = verb;
    words[MAILBOX_HANDLE] = HANDLE;
    words[MAILBOX_LENGTH] = data.length;
    Atomics.add(words, MAILBOX_REQUESTS, 1);
    Atomics.notify(words, MAILBOX_REQUESTS);
    await this.#heard.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}

Deno.test("a thread that is woken without a request serves none", async () => {
  const path = await Deno.makeTempFile();
  const thread = new Thread();
  await thread.ask(VERB_OPEN, 0, utf8(path));
  await thread.ask(VERB_WRITE_AND_SYNC, 0, utf8("first"));
  // Twice: it has seen the first one when it sleeps again.
  await thread.wake();
  await thread.wake();
  await thread.ask(VERB_WRITE_AND_SYNC, 5, utf8(" then"));
  await thread.ask(VERB_QUIT, 0, utf8(""));
  thread.end();
  deepEqual(thread.replies, Array(4).fill({ ok: true }));
  equal(await readFile(path, "utf8"), "first then");
  await Deno.remove(path);
});
