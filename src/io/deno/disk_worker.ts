/// <reference lib="deno.worker" />
/*
 * The thread behind `DiskFile.writeAndSync`: positional write and fdatasync,
 * both synchronous, because an awaited pair costs several times the sync.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import {
  type Mailbox,
  mailbox,
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

const descriptors = new Map<number, number>();

self.onmessage = (event: MessageEvent<SharedArrayBuffer>) => {
  serve(mailbox(event.data));
  self.close();
};

function serve(box: Mailbox): void {
  let served = 0;
  for (;;) {
    served = nextRequest(box, served);
    const verb = word(box, MAILBOX_VERB);
    if (verb === VERB_QUIT) {
      for (const descriptor of descriptors.values()) closeSync(descriptor);
      self.postMessage({ ok: true } satisfies MailboxReply);
      return;
    }
    self.postMessage(answer(box, verb));
  }
}

/**
 * Sleeps until the count is another one, and tells it. To be woken says
 * nothing: who made a request may be held up between the count and the wake,
 * which then comes when the request is long served. To serve it again would
 * read a mailbox that is being filled, and answer for what is not done.
 */
function nextRequest({ words }: Mailbox, served: number): number {
  for (;;) {
    const count = Atomics.load(words, MAILBOX_REQUESTS);
    if (count !== served) return count;
    Atomics.wait(words, MAILBOX_REQUESTS, served);
  }
}

function answer(box: Mailbox, verb: number): MailboxReply {
  const handle = word(box, MAILBOX_HANDLE);
  const data = box.data.subarray(0, word(box, MAILBOX_LENGTH));
  let stage: "open" | "write" | "sync" = "open";
  try {
    if (verb === VERB_OPEN) {
      // A copy, because TextDecoder refuses shared memory.
      const path = new TextDecoder().decode(data.slice());
      descriptors.set(handle, openSync(path, "r+"));
      return { ok: true };
    }
    const descriptor = descriptors.get(handle);
    if (descriptor === undefined) throw new Error("The file is not open");
    if (verb === VERB_CLOSE) {
      descriptors.delete(handle);
      closeSync(descriptor);
      return { ok: true };
    }
    if (verb !== VERB_WRITE && verb !== VERB_WRITE_AND_SYNC) {
      throw new Error(`The verb ${verb} is unknown`);
    }
    stage = "write";
    writeAll(descriptor, data, box.offset[0] as number);
    if (verb === VERB_WRITE_AND_SYNC) {
      stage = "sync";
      fdatasyncSync(descriptor);
    }
    return { ok: true };
  } catch (error) {
    return { ok: false, stage, ...described(error) };
  }
}

function writeAll(descriptor: number, data: Uint8Array, offset: number): void {
  for (let done = 0; done < data.length;) {
    done += writeSync(
      descriptor,
      data,
      done,
      data.length - done,
      offset + done,
    );
  }
}

function described(error: unknown): { code: string | null; message: string } {
  if (!(error instanceof Error)) return { code: null, message: String(error) };
  const code = "code" in error && typeof error.code === "string"
    ? error.code
    : null;
  return { code, message: error.message };
}

function word(box: Mailbox, at: number): number {
  return box.words[at] as number;
}
