import type { Command } from "@commander-js/extra-typings";
import { ImportLineInvalidError, InputInvalidError } from "../errors.ts";
import { readLines } from "../input.ts";
import {
  accessTokenFileOption,
  jsonOption,
  timeoutOption,
  urlOption,
} from "../options.ts";
import type { Services } from "../services.ts";
import { type Database, withDatabase } from "./database.ts";
import { KEY_HELP, keyToJson } from "./key_syntax.ts";
import { selectorOf } from "./read_commands.ts";
import { type ImportRecord, parseRecord, recordLine } from "./record.ts";

/** A value of 65,536 bytes as escaped JSON is below it. */
const LINE_BYTES_MAX = 1_048_576;
const EXPORT_BATCH = 500;
const BATCH_RECORDS_MAX = 100;
/** Half of Deno KV's limit for one atomic write, keys and values together. */
const BATCH_BYTES_MAX = 409_600;
/** Values grow at most so much from a line of JSON: `0,` becomes a double. */
const GROWTH_MAX = 5;
const KEY_BYTES_MAX = 2_048;
const RECORD_BYTES_MAX = 65_536 + KEY_BYTES_MAX;
/** Half of Deno KV's limit for all keys of one atomic write. */
const BATCH_KEY_BYTES_MAX = 40_960;
/** Atomic writes on their way at once: a node syncs several together. */
const WRITES_MAX = 8;

const LINES_HELP = `Lines:
  {"key":["users",1],"value":{"name":"ana"},"versionstamp":"..."}
  All types of values survive an export and an import. A versionstamp is not
  imported: the write makes a new one. "expireIn" in milliseconds is taken by
  imports; exports cannot give it, as the protocol does not tell it.`;

/** Adds `kv export`. */
export function addExport(kv: Command, services: Services): void {
  kv.command("export")
    .description("print records as JSON, one a line, for kv import")
    .option("--prefix <KEY>", "only keys that start with these parts")
    .option("--start <KEY>", "first key")
    .option("--end <KEY>", "key after the last one")
    .addOption(urlOption())
    .addOption(accessTokenFileOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", `\n${KEY_HELP}\n\n${LINES_HELP}`)
    .action((options) => {
      const selector = selectorOf(options);
      return withDatabase(services, options, async ({ kv, answer }) => {
        const { out, err } = services.terminal;
        const entries = kv.list(selector, { batchSize: EXPORT_BATCH });
        let count = 0;
        for (;;) {
          const next = await answer("list keys", entries.next());
          if (next.done === true) break;
          out.write(recordLine(next.value));
          count += 1;
        }
        if (!options.json) err.write(`${count} records exported\n`);
      });
    });
}

/** Adds `kv import`. */
export function addImport(kv: Command, services: Services): void {
  kv.command("import")
    .description("write records from lines of JSON, as kv export prints")
    .argument("[file]", "file to read; standard input when left out or -")
    .option("--dry-run", "check every line and write nothing")
    .addOption(urlOption())
    .addOption(accessTokenFileOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", `\n${LINES_HELP}`)
    .action(async (file, options) => {
      const input = await openInput(services, file);
      const dryRun = options.dryRun === true;
      const count = dryRun
        ? await importLines(input, null)
        : await withDatabase(
          services,
          options,
          (database) => importLines(input, database),
        );
      services.terminal.out.write(
        options.json
          ? `${JSON.stringify({ ok: true, records: String(count), dryRun })}\n`
          : `${count} records ${dryRun ? "checked" : "imported"}\n`,
      );
    });
}

async function openInput(services: Services, file: string | undefined) {
  if (file === undefined || file === "-") return services.terminal.input();
  try {
    return await services.openInput(file);
  } catch (cause) {
    throw new InputInvalidError(
      "the file",
      "it cannot be opened",
      "Check its path and that this user may read it",
      { cause },
    );
  }
}

/** Returns how many records were written, or checked without a database. */
async function importLines(
  input: ReadableStream<Uint8Array<ArrayBuffer>>,
  database: Database | null,
): Promise<number> {
  const batch = new ImportBatch(database);
  let line = 0;
  try {
    for await (const text of readLines(input, LINE_BYTES_MAX)) {
      line += 1;
      if (text.trim() !== "") await batch.add(parseRecord(text), text);
    }
  } catch (cause) {
    if (!(cause instanceof InputInvalidError)) throw cause;
    await batch.end();
    throw new ImportLineInvalidError(Math.max(1, line), batch.writtenCount, {
      cause,
    });
  }
  await batch.end();
  return batch.writtenCount;
}

/**
 * Collects records into atomic writes of a size that Deno KV takes, and sends
 * several at once.
 *
 * Two records of one key never travel in two writes at once: the later wins.
 */
class ImportBatch {
  readonly #database: Database | null;
  readonly #writes = new Set<Promise<void>>();
  readonly #keysUnderWay = new Set<string>();
  #records: ImportRecord[] = [];
  #keys: string[] = [];
  #bytes = 0;
  #keyBytes = 0;
  #writtenCount = 0;
  #failure: { readonly cause: unknown } | null = null;

  constructor(database: Database | null) {
    this.#database = database;
  }

  /** Complete after `end`. */
  get writtenCount(): number {
    return this.#writtenCount;
  }

  async add(record: ImportRecord, text: string): Promise<void> {
    const bytes = Math.min(text.length * GROWTH_MAX, RECORD_BYTES_MAX);
    const keyBytes = Math.min(text.length * GROWTH_MAX, KEY_BYTES_MAX);
    if (
      this.#records.length === BATCH_RECORDS_MAX ||
      this.#bytes + bytes > BATCH_BYTES_MAX ||
      this.#keyBytes + keyBytes > BATCH_KEY_BYTES_MAX
    ) {
      await this.#flush();
    }
    const key = JSON.stringify(keyToJson(record.key));
    if (this.#keysUnderWay.has(key)) await this.#settled();
    this.#keys.push(key);
    this.#records.push(record);
    this.#bytes += bytes;
    this.#keyBytes += keyBytes;
  }

  /** Writes the rest and waits for all. @throws {NodeError} */
  async end(): Promise<void> {
    await this.#flush();
    await this.#settled();
  }

  async #flush(): Promise<void> {
    const records = this.#records;
    const keys = this.#keys;
    this.#records = [];
    this.#keys = [];
    this.#bytes = 0;
    this.#keyBytes = 0;
    if (this.#database === null) {
      this.#writtenCount += records.length;
      return;
    }
    if (records.length === 0) return;
    if (this.#writes.size >= WRITES_MAX) await Promise.race(this.#writes);
    this.#throwFailure();
    for (const key of keys) this.#keysUnderWay.add(key);
    const write = writeAll(this.#database, records).then(() => {
      this.#writtenCount += records.length;
    }, (cause) => {
      this.#failure ??= { cause };
    }).finally(() => {
      this.#writes.delete(write);
      for (const key of keys) this.#keysUnderWay.delete(key);
    });
    this.#writes.add(write);
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#writes);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.cause;
  }
}

async function writeAll(
  { kv, answer }: Database,
  records: readonly ImportRecord[],
): Promise<void> {
  const write = kv.atomic();
  for (const { key, value, expireInMs } of records) {
    write.set(key, value, expireInMs === null ? {} : { expireIn: expireInMs });
  }
  await answer("import records", write.commit());
}
