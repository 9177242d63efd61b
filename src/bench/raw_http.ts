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
  #left: Bytes = NOTHING;
  #shape: AnswerShape = { from: 0, until: 0, status: STATUS_OK };

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
      const shape = this.#shapeOf(answer);
      if (shape !== null && answer.length >= shape.until) {
        this.#left = answer.length === shape.until
          ? NOTHING
          : answer.slice(shape.until);
        return answer.subarray(shape.from, shape.until);
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

  /**
   * Where the body is; `null` before the head is complete. A head that equals
   * the one before, but for its date, is not parsed again.
   */
  #shapeOf(answer: Bytes): AnswerShape | null {
    const { from, until, status } = this.#shape;
    const isAlike = answer.length === until && from > 0 &&
      HEAD_END.every((byte, i) =>
        answer[from - HEAD_END.length + i] === byte
      ) &&
      status.every((byte, i) => answer[i] === byte);
    if (isAlike) return this.#shape;
    const headEnd = indexOf(answer, HEAD_END);
    if (headEnd === -1) return null;
    const body = headEnd + HEAD_END.length;
    const length = bodyLength(answer.subarray(0, headEnd));
    this.#shape = { from: body, until: body + length, status: STATUS_OK };
    return this.#shape;
  }
}

/** Offsets of an answer's body, and how such an answer begins. */
interface AnswerShape {
  readonly from: number;
  readonly until: number;
  readonly status: Uint8Array;
}

const NOTHING: Bytes = new Uint8Array(0);
const STATUS_OK = utf8("HTTP/1.1 200");

/** Head of a POST without its content-length, which `prepare` adds. */
export interface RawRequestHead {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Turns bodies into the bytes of POST requests with one head. */
export class RawRequests {
  readonly #head: RawRequestHead;
  /** The encoded head by length of body: bodies of a bench have few. */
  readonly #heads = new Map<number, Bytes>();

  constructor(head: RawRequestHead) {
    this.#head = head;
  }

  prepare(body: Uint8Array): Bytes {
    const known = this.#heads.get(body.length);
    if (known !== undefined) return concatBytes(known, body);
    const lines = [
      `POST ${this.#head.path} HTTP/1.1`,
      ...Object.entries({
        host: "localhost",
        ...this.#head.headers,
        "content-length": String(body.length),
      }).map(([name, value]) => `${name}: ${value}`),
    ];
    const head = concatBytes(utf8(lines.join("\r\n")), HEAD_END);
    this.#heads.set(body.length, head);
    return concatBytes(head, body);
  }
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
