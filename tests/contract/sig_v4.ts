import { createHash, createHmac } from "node:crypto";

/** What a request is signed with, and what it is. */
export interface SignedParts {
  readonly method: string;
  readonly path: string;
  /** Already encoded, without "?". */
  readonly query: string;
  /** Lower-case names; those that are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  readonly secretAccessKey: string;
  /** `20150830T123600Z` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/**
 * The signature by the book, apart from the library that is tested.
 *
 * Source: AWS General Reference, Signature Version 4 signing process.
 */
export function sigV4(parts: SignedParts): string {
  const names = Object.keys(parts.headers).sort();
  const query = parts.query.split("&").filter((part) => part !== "").sort();
  const canonical = [
    parts.method,
    parts.path,
    query.join("&"),
    ...names.map((name) =>
      `${name}:${(parts.headers[name] ?? "").trim().replace(/ +/g, " ")}`
    ),
    "",
    names.join(";"),
    hash(parts.body),
  ].join("\n");
  const day = parts.date.slice(0, 8);
  const scope = `${day}/${parts.region}/${parts.service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", parts.date, scope, hash(canonical)];
  const key = [day, parts.region, parts.service, "aws4_request"].reduce(
    (key: Uint8Array | string, step) =>
      createHmac("sha256", key).update(step).digest(),
    `AWS4${parts.secretAccessKey}`,
  );
  return createHmac("sha256", key).update(toSign.join("\n")).digest("hex");
}

function hash(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
