import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, utf8, viewOf } from "../base/bytes.ts";
import { type GrpcEndpoint, HeaderBlocks } from "./grpc_headers.ts";
import type { NetConnection } from "../io/net.ts";
import {
  encodeFrame,
  FLAG,
  FRAME,
  FRAME_BYTES_MAX,
  FrameCutter,
  type Http2Frame,
} from "./http2_frame.ts";
import type { RawTarget } from "./raw_http.ts";

const PREFACE = utf8("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** What a server grants before it says otherwise. Source: RFC 9113 §6.9.2. */
const WINDOW_BYTES = 65_535;
const WINDOW_BYTES_MAX = 2 ** 31 - 1;
/** Received bytes after which the window is opened again. */
const WINDOW_STEP_BYTES = 2 ** 29;
const SETTING_INITIAL_WINDOW = 4;
const MESSAGE_HEAD_BYTES = 5;
/** One call fits the window of its stream. */
const MESSAGE_BYTES_MAX = WINDOW_BYTES - MESSAGE_HEAD_BYTES;

export type RawGrpcTarget = RawTarget & GrpcEndpoint;

interface Call {
  readonly resolve: (message: Bytes) => void;
  readonly reject: (error: Error) => void;
  body: Bytes | null;
}

/**
 * One cleartext HTTP/2 connection that makes unary gRPC calls, many at once.
 *
 * The twin of RawHttp for servers that speak gRPC: as little work per request
 * as the protocol allows, so that the server is what is measured. It reads no
 * header: a call that brings a message went well, one that does not failed.
 */
export class RawGrpc {
  readonly #connection: NetConnection;
  readonly #headers: HeaderBlocks;
  readonly #calls = new Map<number, Call>();
  readonly #cutter = new FrameCutter();
  /** Frames not yet handed to the system, and calls that wait for a window. */
  #unsent: Uint8Array[] = [];
  #waiting: { readonly bytes: Uint8Array; readonly cost: number }[] = [];
  #isWriting = false;
  #window = WINDOW_BYTES;
  #received = 0;
  #stream = 1;
  #failure: Error | null = null;

  private constructor(connection: NetConnection, target: GrpcEndpoint) {
    this.#connection = connection;
    this.#headers = new HeaderBlocks(target);
  }

  static async connect(target: RawGrpcTarget): Promise<RawGrpc> {
    const { net, hostname, port } = target;
    const grpc = new RawGrpc(await net.connect({ hostname, port }), target);
    const settings = new Uint8Array(6);
    viewOf(settings).setUint16(0, SETTING_INITIAL_WINDOW);
    viewOf(settings).setUint32(2, WINDOW_BYTES_MAX);
    grpc.#send(concatBytes(
      PREFACE,
      encodeFrame({
        type: FRAME.settings,
        flags: 0,
        stream: 0,
        payload: settings,
      }),
      windowUpdate(WINDOW_BYTES_MAX - WINDOW_BYTES),
    ));
    grpc.#listen();
    return grpc;
  }

  /**
   * Sends `message` and returns the reply's.
   *
   * @throws {Error} When the server refuses, or the connection ends.
   */
  call(message: Uint8Array): Promise<Bytes> {
    assert(message.length <= MESSAGE_BYTES_MAX, "a message fits one window");
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const stream = this.#stream;
    this.#stream += 2;
    const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
    this.#calls.set(stream, { resolve, reject, body: null });
    const cost = MESSAGE_HEAD_BYTES + message.length;
    // The header table must be built in the order of sending.
    const bytes = concatBytes(
      this.#headers.next(stream),
      ...dataFrames(stream, message),
    );
    this.#waiting.push({ bytes, cost });
    this.#sendWaiting();
    return promise;
  }

  close(): void {
    this.#fail(new Error("the connection was closed here"));
    this.#connection.close();
  }

  #sendWaiting(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || next.cost > this.#window) return;
      this.#window -= next.cost;
      this.#waiting.shift();
      this.#send(next.bytes);
    }
  }

  #send(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    if (!this.#isWriting) this.#write();
  }

  /** Hands over all that came up meanwhile, in one write. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#unsent.length > 0) {
        const bytes = concatBytes(...this.#unsent);
        this.#unsent = [];
        await this.#connection.write(bytes);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isWriting = false;
    }
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#connection.read();
        if (bytes === null) throw new Error("connection closed by the server");
        for (const frame of this.#cutter.push(bytes)) this.#onFrame(frame);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #onFrame(frame: Http2Frame): void {
    const { type, flags, stream, payload } = frame;
    switch (type) {
      case FRAME.data:
      case FRAME.headers:
        this.#onReply(frame);
        break;
      case FRAME.ping:
        if ((flags & FLAG.ack) === 0) this.#acknowledge(type, payload);
        break;
      case FRAME.settings:
        if ((flags & FLAG.ack) === 0) this.#acknowledge(type, payload.slice(0));
        break;
      case FRAME.windowUpdate:
        if (stream !== 0) break;
        this.#window += viewOf(payload).getUint32(0);
        this.#sendWaiting();
        break;
      case FRAME.resetStream:
        this.#calls.get(stream)?.reject(new Error("call reset by the server"));
        this.#calls.delete(stream);
        break;
      case FRAME.goAway:
        throw new Error("connection ended by the server");
    }
  }

  #acknowledge(type: number, payload: Uint8Array): void {
    const echo = type === FRAME.ping ? payload : new Uint8Array(0);
    this.#send(
      encodeFrame({ type, flags: FLAG.ack, stream: 0, payload: echo }),
    );
  }

  #onReply({ type, flags, stream, payload }: Http2Frame): void {
    const call = this.#calls.get(stream);
    if (call === undefined) return;
    if (type === FRAME.data) {
      if ((flags & FLAG.padded) !== 0) throw new Error("padded HTTP/2 frame");
      call.body = call.body === null
        ? payload
        : concatBytes(call.body, payload);
      this.#onReceived(payload.length);
    }
    if ((flags & FLAG.endStream) === 0) return;
    this.#calls.delete(stream);
    if (call.body === null || call.body.length < MESSAGE_HEAD_BYTES) {
      call.reject(new Error("call refused by the server"));
    } else {
      call.resolve(call.body.slice(MESSAGE_HEAD_BYTES));
    }
  }

  #onReceived(bytes: number): void {
    this.#received += bytes;
    if (this.#received < WINDOW_STEP_BYTES) return;
    this.#send(windowUpdate(this.#received));
    this.#received = 0;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#calls.values()) reject(this.#failure);
    this.#calls.clear();
  }
}

function windowUpdate(bytes: number): Bytes {
  const payload = new Uint8Array(4);
  viewOf(payload).setUint32(0, bytes);
  return encodeFrame({
    type: FRAME.windowUpdate,
    flags: 0,
    stream: 0,
    payload,
  });
}

/** A message (compressed u8 = 0, length u32, bytes) as the end of a stream. */
function dataFrames(stream: number, message: Uint8Array): Bytes[] {
  const body = new Uint8Array(MESSAGE_HEAD_BYTES + message.length);
  viewOf(body).setUint32(1, message.length);
  body.set(message, MESSAGE_HEAD_BYTES);
  const frames: Bytes[] = [];
  for (let at = 0; at < body.length; at += FRAME_BYTES_MAX) {
    const payload = body.subarray(at, at + FRAME_BYTES_MAX);
    const isLast = at + FRAME_BYTES_MAX >= body.length;
    const flags = isLast ? FLAG.endStream : 0;
    frames.push(encodeFrame({ type: FRAME.data, flags, stream, payload }));
  }
  return frames;
}
