import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../../src/base/bytes.ts";
import type { Net, NetConnection } from "../../../src/io/net.ts";
import { RawHttp, RawRequests } from "../../../src/bench/raw_http.ts";

const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

/** A server that answers with `chunks`, whatever it is sent. */
function connectTo(chunks: string[]): Promise<RawHttp> {
  const connection: NetConnection = {
    remote: { hostname: "127.0.0.1", port: 1 },
    read: (): Promise<Bytes | null> => {
      const chunk = chunks.shift();
      return Promise.resolve(chunk === undefined ? null : utf8(chunk));
    },
    write: () => Promise.resolve(),
    close: () => {},
  };
  const net: Pick<Net, "connect"> = {
    connect: () => Promise.resolve(connection),
  };
  return RawHttp.connect({ net, hostname: "127.0.0.1", port: 1 });
}

const CHUNKINGS: [name: string, chunks: string[]][] = [
  ["in one piece", [`${HEAD}hello`]],
  ["head and body apart", [HEAD, "hello"]],
  ["byte by byte", [...`${HEAD}hello`]],
  ["two answers in one piece", [`${HEAD}hello${HEAD}hello`]],
];

for (const [name, chunks] of CHUNKINGS) {
  Deno.test(`RawHttp.exchange() reads an answer ${name}`, async () => {
    const http = await connectTo(chunks);
    assert.deepEqual(await http.exchange(utf8("?")), utf8("hello"));
  });
}

Deno.test("RawHttp.exchange() reads answers of one shape and of another", async () => {
  const other = HEAD.replace("5", "7");
  const http = await connectTo([
    `${HEAD}hello`,
    `${HEAD}world`,
    `${other}goodbye`,
    `${HEAD}again`,
    "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nwrong",
  ]);
  for (const body of ["hello", "world", "goodbye", "again"]) {
    assert.deepEqual(await http.exchange(utf8("?")), utf8(body));
  }
  await assert.rejects(http.exchange(utf8("?")), /500/);
});

const FAULTS: [name: string, chunks: string[], message: RegExp][] = [
  ["another status", ["HTTP/1.1 503 X\r\n\r\n"], /unexpected answer: .*503/],
  ["no length", ["HTTP/1.1 200 OK\r\n\r\n"], /without content-length/],
  ["a cut connection", [HEAD, "he"], /closed by the server/],
];

for (const [name, chunks, message] of FAULTS) {
  Deno.test(`RawHttp.exchange() refuses ${name}`, async () => {
    const http = await connectTo(chunks);
    await assert.rejects(http.exchange(utf8("?")), message);
  });
}

Deno.test("RawRequests.prepare() writes head, length and body", () => {
  const head = { path: "/v2/watch", headers: { authorization: "Bearer t" } };
  assert.equal(
    new TextDecoder().decode(new RawRequests(head).prepare(utf8("abc"))),
    "POST /v2/watch HTTP/1.1\r\nhost: localhost\r\n" +
      "authorization: Bearer t\r\ncontent-length: 3\r\n\r\nabc",
  );
});
