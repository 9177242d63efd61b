import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import type { Net, NetConnection } from "../io/net.ts";

/** Where the bench sends its requests. */
export interface RawTarget {
  readonly net: Pick<Net, "connect">;
  readonly hostname: string;
  readonly port: number;
}

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const HEAD_END = utf8("\r\n\r\n");

/**
 * One HTTP/1.1 connection that sends prepared requests, one at a time.
 *
 * A load generator of its own, because a full client costs more per request
 * than the server under test and would be what is measured.
 */
export class RawHttp {
  readonly #connection: NetConnection;
  #left: Bytes = new Uint8Array(0);

  private constructor(connection: NetConnection) {
    this.#connection = connection;
  }

  static async connect(target: RawTarget): Promise<RawHttp> {
    const { net, hostname, port } = target;
    return new RawHttp(await net.connect({ hostname, port }));
  }

  /**
   * Sends `request` (head and body) and returns the answer's body.
   *
   * @throws {Error} On any status but 200 or an answer it cannot read.
   */
  async exchange(request: Uint8Array): Promise<Bytes> {
    await this.#connection.write(request);
    let answer = this.#left;
    for (;;) {
      const headEnd = indexOf(answer, HEAD_END);
      if (headEnd !== -1) {
        const from = headEnd + HEAD_END.length;
        const until = from + bodyLength(answer.subarray(0, headEnd));
        if (answer.length >= until) {
          this.#left = answer.slice(until);
          return answer.subarray(from, until);
        }
      }
      if (answer.length > ANSWER_BYTES_MAX) throw new Error("answer too large");
      const more = await this.#connection.read();
      if (more === null) throw new Error("connection closed by the server");
      answer = answer.length === 0 ? more : concatBytes(answer, more);
    }
  }

  close(): void {
    this.#connection.close();
  }
}

/** Head of a POST without its content-length, which `prepare` adds. */
export interface RawRequestHead {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns the bytes of one POST request. */
export function prepareRequest(head: RawRequestHead, body: Uint8Array): Bytes {
  const lines = [
    `POST ${head.path} HTTP/1.1`,
    ...Object.entries({
      host: "localhost",
      ...head.headers,
      "content-length": String(body.length),
    }).map(([name, value]) => `${name}: ${value}`),
  ];
  return concatBytes(utf8(lines.join("\r\n")), HEAD_END, body);
}

const decoder = new TextDecoder();

function bodyLength(head: Uint8Array): number {
  const text = decoder.decode(head);
  if (!text.startsWith("HTTP/1.1 200")) {
    throw new Error(`unexpected answer: ${text.split("\r\n", 1)[0]}`);
  }
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length === undefined) throw new Error("answer without content-length");
  return Number(length);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  const first = wanted[0] as number;
  for (let at = bytes.indexOf(first); at !== -1;) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
    at = bytes.indexOf(first, at + 1);
  }
  return -1;
}
