import type { DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type {
  ContextValues,
  Interceptor,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import { NodeError } from "../base/error.ts";
import { ACTOR_HEADER, CALLER_ADDRESS, visible } from "./actor.ts";

/** "done" also when all was as asked already: `isChanged` tells. */
export type AuditResult =
  | "done"
  | "refused"
  /** It may have taken place or not. */
  | "unknown";

/** A change or a backup that was asked of this node, and what became of it. */
export interface AuditRecord {
  /** As the caller claims it; "" when it claims nothing. */
  readonly actor: string;
  readonly remote: string;
  /** `<service>/<rpc>`. */
  readonly call: string;
  /** Its own fields, without those that every change has. No secret. */
  readonly request: { readonly [field: string]: JsonValue };
  /** Hash of the plan; "" for none. */
  readonly plan: string;
  readonly accept: readonly string[];
  readonly result: AuditResult;
  readonly isChanged: boolean;
  /** Of the error; "" without one, or for a bug. */
  readonly code: string;
  /**
   * Of the entry; 0 for none, or where the call does not tell. Of a backup: all
   * that was applied up to it is inside.
   */
  readonly index: bigint;
}

/** Keeps what operators asked for. */
export interface AuditSink {
  /** Resolves when it is durable, or when that has failed and was reported. */
  write(record: AuditRecord): Promise<void>;
}

const TERMS = new Set(["dryRun", "planHash", "confirm", "accept"]);
/** More of a wrong value helps nobody. */
const TEXT_LENGTH_MAX = 200;
const LIST_LENGTH_MAX = 16;
const OUTCOME_UNKNOWN = "NODE_OUTCOME_UNKNOWN";

/**
 * Writes one record for every call that changes something, which is every one
 * with a `dry_run` that is not set.
 *
 * The answer waits for the record. Refused ones are kept too, also those whose
 * fields cannot be used.
 */
export function auditing(sink: AuditSink): Interceptor {
  return (next) => async (request) => {
    if (request.stream || !isChange(request.message)) {
      return await next(request);
    }
    const asked = askedOf(request);
    try {
      const response = await next(request);
      await sink.write({ ...asked, ...outcomeOf(response) });
      return response;
    } catch (error) {
      await sink.write({ ...asked, ...failureOf(error) });
      throw error;
    }
  };
}

type Asked = Pick<
  AuditRecord,
  "actor" | "remote" | "call" | "request" | "plan" | "accept"
>;
type Outcome = Omit<AuditRecord, keyof Asked> & Partial<Asked>;

function isChange(message: Message): boolean {
  return "dryRun" in message && message.dryRun === false;
}

function askedOf({ message, ...request }: UnaryRequest): Asked {
  const { planHash = "", accept = [] } = message as Partial<
    { readonly planHash: string; readonly accept: readonly string[] }
  >;
  return {
    ...callerOf(request.header, request.contextValues),
    call: `${request.service.typeName}/${request.method.name}`,
    request: ownFields(request.method.input, message),
    plan: shortText(planHash),
    accept: accept.slice(0, LIST_LENGTH_MAX).map(shortText),
  };
}

/** Who asks, and from where. */
export function callerOf(
  header: Headers,
  values: ContextValues,
): Pick<AuditRecord, "actor" | "remote"> {
  return {
    actor: shortText(visible(header.get(ACTOR_HEADER) ?? "")),
    remote: values.get(CALLER_ADDRESS),
  };
}

function ownFields(schema: DescMessage, message: Message) {
  const json = toJson(schema, message, { alwaysEmitImplicit: true });
  const fields = Object.entries(json as Record<string, JsonValue>)
    .filter(([name]) => !TERMS.has(name))
    .map(([name, value]) => [name, bounded(value)] as const);
  return Object.fromEntries(fields);
}

/** Requests are flat: texts, numbers and lists of them. */
function bounded(value: JsonValue): JsonValue {
  if (typeof value === "string") return shortText(value);
  return Array.isArray(value)
    ? value.slice(0, LIST_LENGTH_MAX).map(bounded)
    : value;
}

function shortText(text: string): string {
  return text.slice(0, TEXT_LENGTH_MAX);
}

/** Every answer of a change has `change`. */
function outcomeOf({ message }: UnaryResponse | StreamResponse): Outcome {
  const { change } = message as {
    readonly change?: {
      readonly plan?: { readonly hash: string };
      readonly changed: boolean;
      readonly index?: bigint;
    };
  };
  return {
    plan: change?.plan?.hash ?? "",
    result: "done",
    isChanged: change?.changed ?? false,
    code: "",
    index: change?.index ?? 0n,
  };
}

/** An error of ours changed nothing, but for the one that says so. */
function failureOf(error: unknown): Outcome {
  const code = error instanceof NodeError ? error.code : "";
  const isRefusal = code !== "" && code !== OUTCOME_UNKNOWN;
  return {
    result: isRefusal ? "refused" : "unknown",
    isChanged: false,
    code,
    index: 0n,
  };
}
