import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import {
  callRemote,
  memberOf,
  type RemoteAnswer,
  type RemoteCall,
} from "../../../../src/keys/providers/remote_call.ts";
import type { HttpHandler } from "../../../../src/io/http.ts";
import { simKekPorts } from "../sim_kek_ports.ts";

const HOST = "127.0.0.1";
const ANSWER_BYTES_MAX = 65_536;

/** Calls a server that answers so; 200 has a value, anything else is busy. */
async function given(handler: HttpHandler) {
  const ports = simKekPorts();
  await ports.net.serve({ hostname: HOST, port: 80 }, handler);
  const call: RemoteCall<unknown> = {
    kek: "kek",
    remedy: "Look",
    request: async (signal) => new Request(`http://${HOST}/`, { signal }),
    judge: ({ status, json }: RemoteAnswer) =>
      status === 200 ? { value: json } : { trouble: "busy", rule: "it is x" },
  };
  const run = (changes: Partial<RemoteCall<unknown>> = {}) =>
    ports.clock.until(callRemote(ports, { ...call, ...changes }));
  return { ports, run };
}

Deno.test("callRemote() gives what the judge makes of an answer", async () => {
  const { run, ports } = await given(() => Response.json({ a: 1 }));
  deepEqual(await run(), { a: 1 });
  equal(ports.clock.monotonicMs(), 0);
});

Deno.test("callRemote() asks four times, later each time, spread", async () => {
  const atMs: number[] = [];
  const { run, ports } = await given(() => {
    atMs.push(ports.clock.monotonicMs());
    return new Response(null, { status: 429 });
  });
  await rejects(run(), (error) => {
    ok(error instanceof KekUnavailableError);
    equal(
      error.message,
      'Cannot use the KEK "kek" as it is x, 4 times in a row',
    );
    return true;
  });
  equal(atMs.length, 4);
  const waits = atMs.slice(1).map((at, i) => at - atMs[i]!);
  for (const [i, wait] of waits.entries()) {
    const step = 200 * 2 ** i;
    ok(wait >= step / 2 && wait <= step, `${wait} of ${step}`);
  }
  equal(ports.clock.monotonicMs(), atMs[3]);
});

Deno.test("callRemote() makes each try's request anew", async () => {
  const { run, ports } = await given(() => new Response(null, { status: 500 }));
  const made: number[] = [];
  const request = async (signal: AbortSignal) => {
    made.push(ports.clock.wallMs());
    return new Request(`http://${HOST}/`, { signal });
  };
  await rejects(run({ request }), KekUnavailableError);
  equal(new Set(made).size, 4);
});

Deno.test("callRemote() ends within 22 s when nobody answers", async () => {
  let count = 0;
  const { run, ports } = await given(() => {
    count += 1;
    return new Promise(() => {});
  });
  await rejects(
    run(),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "unreachable",
  );
  equal(count, 4);
  const tookMs = ports.clock.monotonicMs();
  ok(tookMs >= 20_000 && tookMs <= 22_000, `${tookMs}`);
});

Deno.test("callRemote() counts the time of the body as well", async () => {
  const { run, ports } = await given(() =>
    new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
  );
  await rejects(
    run(),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "unreachable",
  );
  ok(ports.clock.monotonicMs() >= 20_000);
});

Deno.test("callRemote() leaves no timer behind", async () => {
  const { run, ports } = await given(() => Response.json(1));
  await run();
  equal(ports.clock.nextAtMs(), null);
});

Deno.test("callRemote() asks again when a connection fails", async () => {
  const { run, ports } = await given(() => Response.json(1));
  ports.net.cut(`${HOST}:80`);
  ports.clock.after(250, () => ports.net.heal(`${HOST}:80`));
  equal(await run(), 1);
});

Deno.test("callRemote() keeps why a connection failed as cause", async () => {
  const { run, ports } = await given(() => Response.json(1));
  ports.net.cut(`${HOST}:80`);
  await rejects(
    run(),
    (error) =>
      error instanceof KekUnavailableError && error.cause instanceof TypeError,
  );
});

Deno.test("callRemote() reads 65,536 bytes of an answer and no more", async () => {
  const json = (length: number) => `"${"x".repeat(length - 2)}"`;
  const fits = await given(() => new Response(json(ANSWER_BYTES_MAX)));
  equal((await fits.run() as string).length, ANSWER_BYTES_MAX - 2);
  let count = 0;
  const long = await given(() => {
    count += 1;
    return new Response(json(ANSWER_BYTES_MAX + 1));
  });
  await rejects(
    long.run(),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "garbled",
  );
  equal(count, 1);
});

Deno.test("callRemote() tells the judge of a body that is no JSON", async () => {
  for (const body of ["", "{", "\xff", "undefined"]) {
    const { run } = await given(() => new Response(body));
    equal(await run(), undefined);
  }
});

Deno.test("callRemote() passes on what the judge and the request throw", async () => {
  const final = new KekUnavailableError("kek", "denied", "it is x", "Look");
  const { run } = await given(() => Response.json(1));
  const fail = () => {
    throw final;
  };
  await rejects(run({ judge: fail }), final);
  await rejects(run({ request: async () => fail() }), final);
});

Deno.test("memberOf() looks at an object's own members only", () => {
  equal(memberOf({ a: 1 }, "a"), 1);
  equal(memberOf({ a: 1 }, "toString"), undefined);
  equal(memberOf(JSON.parse('{"__proto__": 1}'), "__proto__"), 1);
  for (const json of [undefined, null, 1, "a", true]) {
    equal(memberOf(json, "length"), undefined);
  }
});
