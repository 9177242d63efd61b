import { DATABASE_NAME_CHARS_MAX } from "./limits.ts";

const DATA_METHODS = ["snapshot_read", "atomic_write", "watch"] as const;
export type DataMethod = (typeof DATA_METHODS)[number];

/** What a path asks for; `database` "" is the default one. */
export type Route =
  | {
    readonly kind: "data";
    readonly database: string;
    readonly method: DataMethod;
  }
  | { readonly kind: "metadata"; readonly database: string }
  | { readonly kind: "healthz" | "readyz" | "metrics" };

const NAMED = new RegExp(
  `^/db/([A-Za-z0-9._-]{1,${DATABASE_NAME_CHARS_MAX}})` +
    `(?:/v2/(${DATA_METHODS.join("|")}))?$`,
);

/** Paths of the default database and of health, looked up and not parsed. */
const FIXED: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/", { kind: "metadata", database: "" }],
  ...DATA_METHODS.map((method): [string, Route] => [
    `/v2/${method}`,
    { kind: "data", database: "", method },
  ]),
  ["/healthz", { kind: "healthz" }],
  ["/readyz", { kind: "readyz" }],
  ["/metrics", { kind: "metrics" }],
]);

/** The path of an absolute URL, without parsing the rest of it. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start === -1) return "/";
  const query = url.indexOf("?", start);
  return query === -1 ? url.slice(start) : url.slice(start, query);
}

/**
 * Finds what `path` asks for; `null` for nothing here.
 *
 * Repeated slashes and one at the end are as one and none: clients join
 * endpoint and method themselves.
 */
export function routeOf(path: string): Route | null {
  const fixed = FIXED.get(path);
  if (fixed !== undefined) return fixed;
  const named = NAMED.exec(path);
  if (named !== null) {
    const [, database = "", method] = named;
    return isDataMethod(method)
      ? { kind: "data", database, method }
      : { kind: "metadata", database };
  }
  const tidy = path.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
  return tidy === path ? null : routeOf(tidy);
}

function isDataMethod(method: string | undefined): method is DataMethod {
  return DATA_METHODS.some((known) => known === method);
}
