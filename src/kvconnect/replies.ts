import type { Bytes } from "../base/bytes.ts";

/*
 * Response options, made once: building Headers for each reply costs more than
 * encoding it. @deno/kv compares these content types exactly. No-transform
 * keeps the HTTP server from compressing what is small or already dense.
 */
const PROTOBUF: ResponseInit = {
  headers: [
    ["content-type", "application/x-protobuf"],
    ["cache-control", "no-transform"],
  ],
};
const STREAM: ResponseInit = {
  headers: [
    ["content-type", "application/octet-stream"],
    ["cache-control", "no-store, no-transform"],
  ],
};

export function protobufReply(
  body: Bytes | ReadableStream<Bytes>,
): Response {
  return new Response(body, PROTOBUF);
}

export function watchReply(frames: ReadableStream<Bytes>): Response {
  return new Response(frames, STREAM);
}

export function textReply(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: [["content-type", "text/plain; charset=utf-8"]],
  });
}
