import { equal, match, rejects } from "node:assert/strict";
import { denoHttpClient, denoHttpServer } from "../../src/io/deno/http.ts";
import { SimClock } from "../sim/io/clock.ts";
import { SimHttp } from "../sim/io/http.ts";
import { runHttpContract } from "./http_contract.ts";
import { loopbackAddress } from "../loopback.ts";

for (const isHttp2Only of [false, true]) {
  const protocol = isHttp2Only ? "HTTP/2" : "HTTP/1.1";
  runHttpContract(`denoHttpServer over ${protocol}`, () => ({
    server: denoHttpServer(),
    client: denoHttpClient({ isHttp2Only }),
    hostname: loopbackAddress(),
    until: (work) => work,
  }));
}

runHttpContract("SimHttp", () => {
  const clock = new SimClock();
  const http = new SimHttp(clock);
  return {
    server: http,
    client: http.client("client"),
    hostname: "node",
    until: (work) => clock.until(work),
  };
});

const fixture = (name: string) =>
  Deno.readTextFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));

Deno.test("denoHttpServer: TLS speaks to who trusts its authority", async () => {
  const listener = await denoHttpServer().serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert: fixture("cert.pem"), key: fixture("key.pem") },
  }, () => new Response("sealed"));
  const url = `https://localhost:${listener.address.port}/`;
  const trusting = denoHttpClient({ ca: fixture("ca.pem") });
  const response = await trusting.fetch(new Request(url));
  equal(await response.text(), "sealed");
  trusting.close();
  const other = denoHttpClient();
  await rejects(other.fetch(new Request(url)), TypeError);
  other.close();
  await listener.shutdown(1_000);
});

Deno.test("denoHttpServer: one port speaks raw HTTP/1.1 and h2c", async () => {
  const hostname = loopbackAddress();
  const listener = await denoHttpServer().serve(
    { hostname, port: 0 },
    () => new Response("plain"),
  );
  const { port } = listener.address;
  const conn = await Deno.connect({ hostname, port });
  await conn.write(
    new TextEncoder().encode(
      `GET / HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`,
    ),
  );
  const text = await new Response(conn.readable).text();
  match(text, /^HTTP\/1\.1 200 OK\r\n[^]*plain$/);

  const preface = await Deno.connect({ hostname, port });
  // The preface of HTTP/2 and an empty SETTINGS frame.
  await preface.write(
    new TextEncoder().encode(
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ),
  );
  const frame = new Uint8Array(9);
  await preface.read(frame);
  equal(frame[3], 4, "the server answers with its SETTINGS");
  preface.close();
  await listener.shutdown(0);
});

Deno.test("denoHttpClient: HTTP/2 alone starts with its preface", async () => {
  const hostname = loopbackAddress();
  using listener = Deno.listen({ hostname, port: 0 });
  const client = denoHttpClient({ isHttp2Only: true });
  const url = `http://${hostname}:${listener.addr.port}/`;
  const refused = rejects(client.fetch(new Request(url)), TypeError);
  const conn = await listener.accept();
  const preface = new Uint8Array(14);
  await conn.read(preface);
  equal(new TextDecoder().decode(preface), "PRI * HTTP/2.0");
  conn.close();
  await refused;
  client.close();
});

Deno.test("SimHttp: cut() makes an address unreachable", async () => {
  const http = new SimHttp(new SimClock());
  const client = http.client("a");
  await http.serve({ hostname: "b", port: 80 }, () => new Response("hello"));
  const request = () => client.fetch(new Request("http://b:80/"));
  http.cut("b:80");
  await rejects(request(), TypeError);
  http.heal("b:80");
  equal(await (await request()).text(), "hello");
});
