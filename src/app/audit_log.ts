import type { AuditRecord, AuditSink } from "../admin/audit.ts";
import { assert } from "../base/assert.ts";
import { type Bytes, EMPTY_BYTES, utf8 } from "../base/bytes.ts";
import { NodeError } from "../base/error.ts";
import { parentOf } from "../base/path.ts";
import type { Clock } from "../io/clock.ts";
import type { Disk, DiskFile } from "../io/disk.ts";
import type { EventLog } from "../io/log.ts";
import {
  CHAIN_BEGUN,
  CHAIN_START,
  followChain,
  isLink,
  lineHash,
} from "./audit_chain.ts";

export const AUDIT_LOG_NAME = "audit.log";

/** As much of the log's end as a start looks at. */
const TAIL_BYTES_MAX = 1_048_576;
/** Longer than any line of ours: such an end is no torn line. */
const TORN_BYTES_MAX = 65_536;
const LINE_BREAK = 0x0a;

/** A mark before the text is part of it: an editor has been there. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface AuditLogParts {
  readonly disk: Disk;
  readonly path: string;
  /** Name of this node. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Is shown the last lines when the log is first opened, and each new one. */
  readonly onLine?: (line: string) => void;
}

type LineFields = Readonly<Record<string, unknown>>;

/**
 * What operators asked of this node, one JSON object a line; each line names
 * the hash of the one before it (docs/audit.md).
 *
 * A log that is damaged or cannot be written is reported as an event and holds
 * up nobody.
 */
export class AuditLog implements AuditSink {
  readonly #parts: AuditLogParts;
  /** `null`: not looked at yet, or failed since. */
  #end: LogEnd | null = null;
  #queue: Promise<void> = Promise.resolve();
  #isShown = false;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
  }

  /** Looks at the end of the log, which is made with its first line. */
  open(): Promise<void> {
    return this.#inTurn({}, async () => {
      if (await this.#parts.disk.exists(this.#parts.path)) await this.#opened();
    });
  }

  write(record: AuditRecord): Promise<void> {
    const { actor, call, result, code } = record;
    return this.#inTurn(
      { actor, call, result, code },
      async () => {
        const { line } = await (await this.#opened()).append(fieldsOf(record));
        this.#parts.onLine?.(line);
      },
    );
  }

  close(): Promise<void> {
    return this.#inTurn({}, () => this.#forget());
  }

  /** One at a time; a failure ends in an event that has `fields`. */
  #inTurn(
    fields: Readonly<Record<string, string>>,
    task: () => Promise<void>,
  ): Promise<void> {
    const turn = this.#queue.then(task).catch(async (error) => {
      await this.#forget().catch(() => {});
      const { log } = this.#parts;
      const reason = error instanceof Error ? error.message : String(error);
      const cause = error instanceof NodeError ? error.code : "";
      log.write("error", "audit_failed", { ...fields, reason, cause });
    });
    this.#queue = turn;
    return turn;
  }

  async #opened(): Promise<LogEnd> {
    if (this.#end !== null) return this.#end;
    const { end, lines } = await openEnd(this.#parts);
    this.#end = end;
    // After a failure it is opened again, and nothing is shown twice.
    if (!this.#isShown) {
      for (const line of lines) {
        this.#parts.onLine?.(line);
      }
    }
    this.#isShown = true;
    return end;
  }

  async #forget(): Promise<void> {
    const end = this.#end;
    this.#end = null;
    await end?.close();
  }
}

/** Where the next line goes, and what it names. */
class LogEnd {
  readonly #file: DiskFile;
  readonly #clock: Clock;
  #offset: number;
  #previous: string;

  constructor(
    file: DiskFile,
    clock: Clock,
    at: { readonly offset: number; readonly previous: string },
  ) {
    this.#file = file;
    this.#clock = clock;
    this.#offset = at.offset;
    this.#previous = at.previous;
  }

  /** Hash of the last line. */
  get previous(): string {
    return this.#previous;
  }

  /** Durable when it resolves; returns the line and the bytes it took. */
  async append(
    fields: LineFields,
  ): Promise<{ readonly line: string; readonly length: number }> {
    const previous = fields["event"] === CHAIN_BEGUN
      ? CHAIN_START
      : this.#previous;
    const at = new Date(this.#clock.wallMs()).toISOString();
    const line = JSON.stringify({ previous, at, ...fields });
    const bytes = utf8(`${line}\n`);
    await this.#file.writeAndSync(this.#offset, bytes);
    this.#offset += bytes.length;
    this.#previous = lineHash(line);
    return { line, length: bytes.length };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function openEnd(
  parts: AuditLogParts,
): Promise<{ readonly end: LogEnd; readonly lines: readonly string[] }> {
  const { disk, path, log } = parts;
  const isNew = !await disk.exists(path);
  const file = await disk.open(path, isNew ? "create" : "existing");
  try {
    if (isNew) await disk.syncDir(parentOf(path));
    const tail = await readTail(file);
    const { previous, isBroken } = followChain(tail.lines, tail);
    const { torn, offset } = tail;
    const end = new LogEnd(file, parts.clock, { offset, previous });
    if (torn.length > 0) {
      await setAside(end, torn);
      log.write("warn", "audit_line_set_aside", { path, bytes: torn.length });
    }
    if (isBroken) log.write("warn", "audit_chain_broken", { path, previous });
    if (isBroken || offset === 0) await begin(end, parts.node);
    return { end, lines: tail.lines };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Tail {
  readonly lines: readonly string[];
  /** The first of them is the first of the log. */
  readonly isWhole: boolean;
  /** What a crash left of a last line. */
  readonly torn: Bytes;
  /** Where whole lines end. */
  readonly offset: number;
}

async function readTail(file: DiskFile): Promise<Tail> {
  const size = await file.size();
  const from = Math.max(0, size - TAIL_BYTES_MAX);
  const bytes = await file.readAt(from, size - from);
  const end = bytes.lastIndexOf(LINE_BREAK) + 1;
  const isWhole = from === 0;
  const lines = decoder.decode(bytes.subarray(0, end)).split("\n")
    .slice(isWhole ? 0 : 1, -1);
  const last = lines.at(-1);
  // A crash may have kept the end of a line and not its beginning.
  if (last !== undefined && end === bytes.length && !isLink(last)) {
    const begin = bytes.subarray(0, end - 1).lastIndexOf(LINE_BREAK) + 1;
    const torn = bytes.subarray(begin);
    return { lines: lines.slice(0, -1), isWhole, torn, offset: from + begin };
  }
  const torn = bytes.subarray(end);
  if (torn.length <= TORN_BYTES_MAX) {
    return { lines, isWhole, torn, offset: from + end };
  }
  // Not a torn line but something else: it becomes a line that is none of ours.
  await file.writeAndSync(size, Uint8Array.of(LINE_BREAK));
  const rest = decoder.decode(torn);
  const offset = size + 1;
  return { lines: [...lines, rest], isWhole, torn: EMPTY_BYTES, offset };
}

/** The torn line goes on inside a whole one, which takes its place. */
async function setAside(end: LogEnd, torn: Bytes): Promise<void> {
  const text = decoder.decode(torn);
  const { length } = await end.append({ event: "line_set_aside", text });
  assert(length > torn.length, "a torn line is covered as a whole");
}

/** Begins a chain that names the end of the one before. */
async function begin(end: LogEnd, node: string): Promise<void> {
  await end.append({ event: CHAIN_BEGUN, node, follows: end.previous });
}

function fieldsOf(record: AuditRecord): LineFields {
  const { actor, remote, call, request, plan, accept, result, code } = record;
  const { isChanged: changed, index } = record;
  return {
    actor,
    remote,
    call,
    request,
    plan,
    accept,
    result,
    changed,
    code,
    index: String(index),
  };
}
