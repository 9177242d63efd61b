import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { ListenError } from "../../src/io/errors.ts";
import type {
  HttpClientPort,
  HttpHandler,
  HttpListener,
  HttpServerPort,
  RemoteAddress,
} from "../../src/io/http.ts";

export interface HttpSubject {
  readonly server: HttpServerPort;
  readonly client: HttpClientPort;
  readonly hostname: string;
  /** Passes what time `work` needs. */
  until<T>(work: Promise<T>): Promise<T>;
}

interface Scene extends HttpSubject {
  readonly listener: HttpListener;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** What every `HttpServerPort` does with any `HttpClientPort`. */
export function runHttpContract(name: string, make: () => HttpSubject): void {
  const test = (
    claim: string,
    handler: HttpHandler,
    body: (scene: Scene) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${claim}`, async () => {
      const subject = make();
      const { server, client, hostname, until } = subject;
      const listener = await server.serve({ hostname, port: 0 }, handler);
      const base = `http://${hostname}:${listener.address.port}`;
      const fetch = (path: string, init?: RequestInit) =>
        client.fetch(new Request(`${base}${path}`, init));
      await until(body({ ...subject, listener, fetch }));
      await until(listener.shutdown(0));
      client.close();
    });

  test("carries bodies, headers and statuses", async (request) => {
    const bytes = await request.bytes();
    const headers = { "x-method": request.method };
    return new Response(bytes.toReversed(), { status: 201, headers });
  }, async ({ fetch }) => {
    const body = Uint8Array.of(1, 2, 3);
    const response = await fetch("/a?b=c", { method: "POST", body });
    equal(response.status, 201);
    equal(response.headers.get("x-method"), "POST");
    deepEqual(await response.bytes(), Uint8Array.of(3, 2, 1));
  });

  const remotes: RemoteAddress[] = [];
  test("tells the handler where a request came from", (_, remote) => {
    remotes.push(remote);
    return new Response(null, { status: 204 });
  }, async ({ fetch }) => {
    await fetch("/");
    await fetch("/");
    const [first, second] = remotes;
    ok(first !== undefined && first.port > 0);
    deepEqual(second, first);
  });

  test("answers 500 when the handler throws", () => {
    throw new TypeError("a bug");
  }, async ({ fetch }) => {
    const response = await fetch("/");
    equal(response.status, 500);
    ok(!(await response.text()).includes("a bug"));
  });

  test("streams: parts arrive before the end", () => {
    let count = 0;
    return new Response(
      new ReadableStream({
        pull(controller) {
          count += 1;
          if (count <= 2) controller.enqueue(Uint8Array.of(count));
          // The third part never comes.
          else return new Promise(() => {});
        },
      }),
    );
  }, async ({ fetch }) => {
    const response = await fetch("/");
    const reader = response.body!.getReader();
    const first = await reader.read();
    equal(first.value?.[0], 1);
    await reader.cancel();
  });

  test("serve() refuses an address in use", () => new Response(), async (
    { server, listener },
  ) => {
    await rejects(
      server.serve(listener.address, () => new Response()),
      ListenError,
    );
  });

  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  test("shutdown() lets a running request end, refuses new ones", async () => {
    entered.resolve();
    await gate.promise;
    return new Response("done");
  }, async ({ fetch, listener }) => {
    const answer = fetch("/");
    await entered.promise;
    const stopped = listener.shutdown(60_000);
    equal(await fetch("/late").then(statusOf, () => 503), 503);
    gate.resolve();
    equal(await (await answer).text(), "done");
    await stopped;
  });

  const begun = Promise.withResolvers<void>();
  test("shutdown() cuts what outlives the grace", () => {
    begun.resolve();
    return new Promise<Response>(() => {});
  }, async ({ fetch, listener }) => {
    const answer = rejects(fetch("/"), TypeError);
    await begun.promise;
    await listener.shutdown(20);
    await answer;
  });

  Deno.test(`${name}: fetch() fails where nobody listens`, async () => {
    const { server, client, hostname, until } = make();
    const listener = await server.serve(
      { hostname, port: 0 },
      () => new Response(),
    );
    const url = `http://${hostname}:${listener.address.port}/`;
    await until(listener.shutdown(0));
    await rejects(until(client.fetch(new Request(url))), TypeError);
    client.close();
  });
}

async function statusOf(response: Response): Promise<number> {
  await response.body?.cancel();
  return response.status;
}
