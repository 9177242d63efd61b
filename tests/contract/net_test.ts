import { deepEqual, equal, rejects } from "node:assert/strict";
import { denoClock } from "../../src/io/deno/clock.ts";
import { denoNet } from "../../src/io/deno/net.ts";
import { ConnectError, ConnectionLostError } from "../../src/io/errors.ts";
import { SimClock } from "../sim/io/clock.ts";
import { SimNet } from "../sim/io/net.ts";
import { loopbackAddress } from "../loopback.ts";
import { runNetContract } from "./net_contract.ts";

runNetContract("denoNet", () => ({
  net: denoNet(),
  hostname: loopbackAddress(),
  clock: denoClock(),
  until: (work) => work,
}));

for (const delayMs of [0, 5]) {
  runNetContract(`SimNet with ${delayMs} ms`, () => {
    const clock = new SimClock();
    const net = new SimNet(clock, () => delayMs);
    return {
      net: net.host("a"),
      hostname: "b",
      clock,
      until: (work) => clock.until(work),
    };
  });
}

const fixture = (name: string) =>
  Deno.readTextFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
const TLS = { cert: fixture("cert.pem"), key: fixture("key.pem") };
const CA = fixture("ca.pem");

Deno.test("denoNet: TLS carries bytes and verifies the name", async () => {
  const net = denoNet();
  const listener = await net.listen({
    hostname: "127.0.0.1",
    port: 0,
    tls: TLS,
  });
  const { port } = listener.address;
  const serve = async () => {
    for (;;) {
      const accepted = await listener.accept();
      if (accepted === null) return;
      try {
        await accepted.write(Uint8Array.of(7));
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
      }
      accepted.close();
    }
  };
  const serving = serve();
  const dial = (hostname: string, ca?: string) =>
    net.connect({ hostname, port, tls: ca === undefined ? {} : { ca } });
  const dialled = await dial("localhost", CA);
  deepEqual(await dialled.read(), Uint8Array.of(7));
  dialled.close();
  await rejects(dial("localhost"), ConnectError);
  listener.close();
  await serving;

  const other = await net.listen({
    hostname: "127.0.0.2",
    port: 0,
    tls: TLS,
  });
  const accepting = other.accept().then(async (accepted) => {
    await rejects(accepted!.write(Uint8Array.of(7)), ConnectionLostError);
    accepted!.close();
  });
  await rejects(
    net.connect({ ...other.address, tls: { ca: CA } }),
    ConnectError,
  );
  await accepting;
  other.close();
});

Deno.test("SimNet: a cut link holds bytes until it heals, one way", async () => {
  const clock = new SimClock();
  const net = new SimNet(clock, () => 2);
  await clock.until((async () => {
    const listener = await net.host("b").listen({ hostname: "b", port: 1 });
    const [dialled, accepted] = await Promise.all([
      net.host("a").connect({ hostname: "b", port: 1 }),
      listener.accept(),
    ]);
    net.cut("a", "b");
    await dialled.write(Uint8Array.of(1));
    await accepted!.write(Uint8Array.of(2));
    deepEqual(await dialled.read(), Uint8Array.of(2));
    let hasArrived = false;
    const read = accepted!.read().then((bytes) => {
      hasArrived = true;
      return bytes;
    });
    await new Promise<void>((resolve) => void clock.after(1_000, resolve));
    equal(hasArrived, false);
    await rejects(
      net.host("a").connect({ hostname: "b", port: 1 }),
      ConnectError,
    );
    net.heal("a", "b");
    deepEqual(await read, Uint8Array.of(1));
  })());
});

Deno.test("SimNet: bytes never overtake each other", async () => {
  const clock = new SimClock();
  let delayMs = 50;
  const net = new SimNet(clock, () => Math.max(0, delayMs -= 5));
  await clock.until((async () => {
    const listener = await net.host("b").listen({ hostname: "b", port: 1 });
    const dialled = await net.host("a").connect({ hostname: "b", port: 1 });
    const accepted = await listener.accept();
    for (let i = 0; i < 9; i += 1) await dialled.write(Uint8Array.of(i));
    for (let i = 0; i < 9; i += 1) {
      deepEqual(await accepted!.read(), Uint8Array.of(i));
    }
  })());
});

Deno.test("SimNet: reset() breaks a host's connections both ways", async () => {
  const clock = new SimClock();
  const net = new SimNet(clock);
  const listener = await net.host("b").listen({ hostname: "b", port: 1 });
  const dialled = await net.host("a").connect({ hostname: "b", port: 1 });
  const accepted = await listener.accept();
  net.reset("b");
  await rejects(dialled.read(), ConnectionLostError);
  await rejects(accepted!.read(), ConnectionLostError);
  equal(await listener.accept(), null);
});
