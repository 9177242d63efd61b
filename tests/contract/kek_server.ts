import { denoHttpServer } from "../../src/io/deno/http.ts";
import { loopbackAddress } from "../loopback.ts";

export type Answer = Response | Promise<Response>;

/** A provider of KEKs on loopback, behind real sockets. */
export interface KekServer {
  /** `http://HOST:PORT`, or https: */
  readonly url: string;
  /** Requests so far. */
  count(): number;
  /** Answers the next requests instead; `null` leaves one to the server. */
  interfere(answer: (nth: number, request: Request) => Answer | null): void;
  close(): Promise<void>;
}

export async function startKekServer(
  serve: (request: Request) => Answer,
  tls?: { readonly cert: string; readonly key: string },
): Promise<KekServer> {
  let count = 0;
  let from = 0;
  let other: Parameters<KekServer["interfere"]>[0] = () => null;
  const listener = await denoHttpServer().serve(
    {
      // The certificate of tests is for this name.
      hostname: tls === undefined ? loopbackAddress() : "127.0.0.1",
      port: 0,
      ...(tls === undefined ? {} : { tls }),
    },
    async (request) => {
      count += 1;
      const answer = other(count - from, request) ?? serve(request);
      return await answer;
    },
  );
  const { hostname, port } = listener.address;
  return {
    url: tls === undefined
      ? `http://${hostname}:${port}`
      : `https://localhost:${port}`,
    count: () => count,
    interfere(answer) {
      from = count;
      other = answer;
    },
    close: () => listener.shutdown(0),
  };
}

export function jsonAnswer(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json" },
  });
}
