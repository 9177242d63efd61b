import { NodeError } from "../base/error.ts";
import type { AuditRecord, AuditSink } from "./audit.ts";

/** A stream that is kept in the audit log: who asked for what. */
export interface AuditedStream<T> {
  readonly stream: AsyncIterable<T>;
  /** The caller is gone: what ends after it is not whole. */
  readonly gone: AbortSignal;
  readonly asked: Pick<AuditRecord, "actor" | "remote" | "call" | "index">;
  readonly audit: AuditSink;
}

/**
 * Gives what `stream` gives, and writes one record when it has ended: "done"
 * when the caller got all of it, "refused" when it failed before anything was
 * given, else "unknown".
 *
 * The end of a whole stream waits for the record.
 */
export async function* auditedStream<T>(
  { stream, gone, asked, audit }: AuditedStream<T>,
): AsyncGenerator<T> {
  let result: AuditRecord["result"] = "unknown";
  let code = "";
  let isBegun = false;
  try {
    for await (const item of stream) {
      isBegun = true;
      yield item;
    }
    if (!gone.aborted) result = "done";
  } catch (error) {
    code = error instanceof NodeError ? error.code : "";
    if (code !== "" && !isBegun) result = "refused";
    throw error;
  } finally {
    await audit.write({
      ...asked,
      ...{ request: {}, plan: "", accept: [] },
      ...{ result, isChanged: false, code },
    });
  }
}
