import type { Bytes } from "../base/bytes.ts";

/*
 * Response options, made once. @deno/kv compares these content types exactly;
 * the HTTP server compresses neither of them.
 */
const PROTOBUF: ResponseInit = {
  headers: [["content-type", "application/x-protobuf"]],
};
const STREAM: ResponseInit = {
  headers: [["content-type", "application/octet-stream"]],
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
