import { type Bytes, concatBytes } from "../../base/bytes.ts";
import type { Clock } from "../../io/clock.ts";
import { type KekTrouble, KekUnavailableError } from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";

/** Of one try, from the request to the last byte of the answer. */
const TRY_MS_MAX = 5_000;
const TRIES_MAX = 4;
/** Waits between tries: they double, each spread from half to the whole. */
const BACKOFF_MS_MIN = 200;
/** An answer has a wrap or a secret, some hundred bytes; errors have more. */
const ANSWER_BYTES_MAX = 65_536;

/** A whole answer of a provider. */
export interface RemoteAnswer {
  readonly status: number;
  /** What its body is as JSON; `undefined` when it is none. */
  readonly json: unknown;
}

/** The answer is no answer yet: worth another try. */
export interface Busy {
  readonly trouble: KekTrouble;
  readonly rule: string;
}

export interface RemoteCall<T> {
  /** Names the KEK in errors. */
  readonly kek: string;
  /** For the operator when every try has failed. */
  readonly remedy: string;
  /** The request of one try, for it may carry the time. */
  request(signal: AbortSignal): Promise<Request>;
  /** What an answer comes to. @throws {NodeError} When no retry helps. */
  judge(answer: RemoteAnswer): { readonly value: T } | Busy;
}

type Attempt<T> = { readonly value: T } | Busy & { readonly cause?: unknown };

/**
 * Asks a provider, a few times while it is unreachable or busy.
 *
 * Ends after TRIES_MAX × TRY_MS_MAX and the waits between: some 22 s. No text
 * of an answer gets into an error: a provider may echo what it was sent.
 *
 * @throws {KekUnavailableError} And what `judge` throws.
 */
export async function callRemote<T>(
  ports: KekPorts,
  call: RemoteCall<T>,
): Promise<T> {
  let backoffMs = BACKOFF_MS_MIN;
  for (let tries = 1;; tries += 1) {
    const attempt = await tryOnce(ports, call);
    if ("value" in attempt) return attempt.value;
    if (tries === TRIES_MAX) {
      throw new KekUnavailableError(
        call.kek,
        attempt.trouble,
        `${attempt.rule}, ${tries} times in a row`,
        call.remedy,
        attempt.cause === undefined ? {} : { cause: attempt.cause },
      );
    }
    const half = backoffMs / 2;
    await pass(ports.clock, half + ports.random.below(half + 1));
    backoffMs *= 2;
  }
}

async function tryOnce<T>(
  ports: KekPorts,
  call: RemoteCall<T>,
): Promise<Attempt<T>> {
  const cut = new AbortController();
  const timer = ports.clock.after(TRY_MS_MAX, () => cut.abort());
  try {
    const request = await call.request(cut.signal);
    const answer = await fetchAnswer(ports, request, call);
    if ("cause" in answer) {
      const rule = cut.signal.aborted
        ? `it does not answer within ${TRY_MS_MAX} ms`
        : "it cannot be reached";
      return { trouble: "unreachable", rule, cause: answer.cause };
    }
    return call.judge(answer);
  } finally {
    timer.cancel();
  }
}

/** The whole answer, or why none came. @throws {KekUnavailableError} */
async function fetchAnswer(
  { http }: KekPorts,
  request: Request,
  { kek, remedy }: { readonly kek: string; readonly remedy: string },
): Promise<RemoteAnswer | { readonly cause: unknown }> {
  let status: number;
  let body: Bytes | null;
  try {
    const response = await http.fetch(request);
    status = response.status;
    body = await readUpTo(response.body, ANSWER_BYTES_MAX);
  } catch (cause) {
    return { cause };
  }
  if (body !== null) return { status, json: parseJson(body) };
  const rule = `its answer has more than ${ANSWER_BYTES_MAX} bytes`;
  throw new KekUnavailableError(kek, "garbled", rule, remedy);
}

/** `null` for a longer body, the rest of which is not read. */
async function readUpTo(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<Bytes | null> {
  if (body === null) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatBytes(...parts);
    length += value.length;
    if (length > bytesMax) {
      // Whether the other side hears of it does not matter.
      reader.cancel().catch(() => {});
      return null;
    }
    parts.push(value);
  }
}

/** The error of a parser quotes its input, so none is kept. */
function parseJson(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function pass(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** The member `name` of a JSON object; `undefined` of anything else. */
export function memberOf(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null && Object.hasOwn(json, name)
    ? Reflect.get(json, name)
    : undefined;
}
