import type { JsonValue } from "./extended_json.ts";

/** The error classes that structured clone keeps apart. */
const ERROR_CLASSES = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
} as const;

export function writeError(
  error: Error,
  each: (part: unknown) => JsonValue,
): JsonValue {
  return {
    name: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(Object.hasOwn(error, "cause") ? { cause: each(error.cause) } : {}),
  };
}

/** Reads what `writeError` wrote; `null` for anything else. */
export function readError(
  body: JsonValue,
  each: (part: JsonValue) => unknown,
): Error | null {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return null;
  }
  const fields = new Map(Object.entries(body));
  const name = fields.get("name");
  const message = fields.get("message");
  const stack = fields.get("stack");
  const cause = fields.get("cause");
  if (typeof name !== "string" || typeof message !== "string") return null;
  if (stack !== undefined && typeof stack !== "string") return null;
  const make = isClassName(name) ? ERROR_CLASSES[name] : Error;
  const error = cause === undefined
    ? new make(message)
    : new make(message, { cause: each(cause) });
  // A program keeps what it wrote, not where the import ran.
  Object.defineProperty(error, "stack", {
    value: stack,
    writable: true,
    configurable: true,
    enumerable: false,
  });
  return error;
}

function isClassName(name: string): name is keyof typeof ERROR_CLASSES {
  return Object.hasOwn(ERROR_CLASSES, name);
}
