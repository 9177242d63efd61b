import { assert } from "../../base/assert.ts";
import { type Bytes, equalBytes } from "../../base/bytes.ts";
import type { Disk, DiskFile } from "../../io/disk.ts";
import type { LogIndex } from "../../raft/types.ts";
import { decodeNote, encodeNote, NOTE_BYTES } from "./note.ts";

/** Names of the part and of what is known about it. */
export const INCOMING_PART = "incoming.part";
export const INCOMING_NOTE = "incoming.note";

/** Where a part lies and how often it is synced. */
interface PartOptions {
  readonly disk: Disk;
  readonly dir: string;
  /** Received bytes between two syncs. */
  readonly noteBytes: number;
}

/** The file that a part becomes. */
export interface WholeFile {
  readonly digest: Bytes;
  readonly bytes: number;
  /** Of the state that it holds. */
  readonly index: LogIndex;
}

interface OpenPart extends WholeFile {
  readonly part: DiskFile;
  readonly note: DiskFile;
  received: number;
  /** Bytes that a crash cannot take. */
  synced: number;
}

/**
 * The one file that this member is receiving, kept across connections and
 * restarts: after a restart it counts as long as what was synced.
 *
 * One caller at a time. A full disk leaves it as it was; after another failure
 * it is to be discarded.
 */
export class IncomingPart {
  readonly path: string;
  readonly #notePath: string;
  readonly #options: PartOptions;
  #open: OpenPart | null = null;

  private constructor(options: PartOptions) {
    this.#options = options;
    this.path = `${options.dir}/${INCOMING_PART}`;
    this.#notePath = `${options.dir}/${INCOMING_NOTE}`;
  }

  /** Finds what an earlier process received; `options.dir` is there. */
  static async open(options: PartOptions): Promise<IncomingPart> {
    const incoming = new IncomingPart(options);
    if (!await incoming.#recover()) await incoming.discard();
    return incoming;
  }

  /** `null` when nothing is being received. */
  get progress(): { readonly received: number; readonly total: number } | null {
    if (this.#open === null) return null;
    return { received: this.#open.received, total: this.#open.bytes };
  }

  /** Of the state that the whole file would hold. */
  get index(): LogIndex | null {
    return this.#open?.index ?? null;
  }

  /** Bytes of `file` that are here. */
  receivedOf({ digest, bytes, index }: WholeFile): number {
    const open = this.#open;
    if (open === null || open.bytes !== bytes || open.index !== index) {
      return 0;
    }
    return equalBytes(open.digest, digest) ? open.received : 0;
  }

  /** Goes on with `file`, or starts it in the place of another one. */
  async start(file: WholeFile): Promise<void> {
    if (this.receivedOf(file) > 0) return;
    await this.discard();
    const { disk, dir } = this.#options;
    const part = await disk.open(this.path, "create");
    const note = await disk.open(this.#notePath, "create");
    const { digest, bytes, index } = file;
    this.#open = { digest, bytes, index, part, note, received: 0, synced: 0 };
    await this.#write(0);
    // Before there are bytes: a note of before must not come to describe them.
    await disk.syncDir(dir);
  }

  /** Adds `data`, which fits. */
  async append(data: Uint8Array): Promise<void> {
    const open = this.#mustBeOpen();
    const { received, bytes, synced } = open;
    assert(received + data.length <= bytes, "a part is not longer than told");
    await open.part.writeAt(received, data);
    open.received += data.length;
    if (open.received - synced >= this.#options.noteBytes) await this.sync();
  }

  /** Makes all that was received survive a crash. */
  async sync(): Promise<void> {
    const open = this.#mustBeOpen();
    const { received } = open;
    if (open.synced === received) return;
    await open.part.sync();
    await this.#write(received);
  }

  /** Removes the part, for ever. */
  async discard(): Promise<void> {
    await this.close();
    const { disk } = this.#options;
    await disk.remove(this.#notePath);
    await disk.remove(this.path);
  }

  /** Keeps the part for the next process. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    await open.part.close();
    await open.note.close();
  }

  async #recover(): Promise<boolean> {
    const { disk } = this.#options;
    if (!await disk.exists(this.#notePath)) return false;
    if (!await disk.exists(this.path)) return false;
    const note = await disk.open(this.#notePath, "existing");
    const part = await disk.open(this.path, "existing");
    const known = decodeNote(await note.readAt(0, NOTE_BYTES + 1));
    if (known === null || await part.size() < known.synced) {
      await note.close();
      await part.close();
      return false;
    }
    const { total: bytes, synced, ...rest } = known;
    this.#open = { ...rest, bytes, part, note, received: synced, synced };
    // What lies behind is written again before anybody reads it.
    return true;
  }

  async #write(synced: number): Promise<void> {
    const open = this.#mustBeOpen();
    const { digest, bytes: total, index } = open;
    const bytes = encodeNote({ digest, total, index, synced });
    await open.note.writeAndSync(0, bytes);
    open.synced = synced;
  }

  #mustBeOpen(): OpenPart {
    assert(this.#open !== null, "a part was started");
    return this.#open;
  }
}
