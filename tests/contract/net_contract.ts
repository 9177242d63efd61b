import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type Bytes, concatBytes, equalBytes } from "../../src/base/bytes.ts";
import {
  ConnectError,
  ConnectionLostError,
  ListenError,
} from "../../src/io/errors.ts";
import type { Clock } from "../../src/io/clock.ts";
import type { Net, NetConnection, NetListener } from "../../src/io/net.ts";

export interface NetSubject {
  readonly net: Net;
  /** An address of this subject's own, to listen on. */
  readonly hostname: string;
  /** Time of this network. */
  readonly clock: Clock;
  /** Passes what time `work` needs. */
  until<T>(work: Promise<T>): Promise<T>;
}

interface Pair {
  readonly listener: NetListener;
  readonly dialled: NetConnection;
  readonly accepted: NetConnection;
}

/** What every `Net` does. */
export function runNetContract(name: string, make: () => NetSubject): void {
  const test = (
    claim: string,
    body: (pair: Pair, subject: NetSubject) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${claim}`, async () => {
      const subject = make();
      const { net, hostname, until } = subject;
      await until((async () => {
        const listener = await net.listen({ hostname, port: 0 });
        const [dialled, accepted] = await Promise.all([
          net.connect(listener.address),
          listener.accept(),
        ]);
        try {
          await body({ listener, dialled, accepted: accepted! }, subject);
        } finally {
          for (const open of [dialled, accepted, listener]) open?.close();
        }
      })());
    });

  test("read() gives what write() took, in order, both ways", async (pair) => {
    const { dialled, accepted } = pair;
    await dialled.write(Uint8Array.of(1, 2));
    await dialled.write(Uint8Array.of(3));
    deepEqual(await readExactly(accepted, 3), [1, 2, 3]);
    await accepted.write(Uint8Array.of(4));
    deepEqual(await readExactly(dialled, 1), [4]);
  });

  test("write() takes megabytes while the other side reads", async (pair) => {
    const { dialled, accepted } = pair;
    const sent = new Uint8Array(3_000_000).map((_, i) => i * 7);
    const [received] = await Promise.all([
      readBytes(accepted, sent.length),
      dialled.write(sent),
    ]);
    ok(equalBytes(received, sent));
  });

  test("read() ends with null when the other side closed", async (pair) => {
    const { dialled, accepted } = pair;
    await dialled.write(Uint8Array.of(9));
    dialled.close();
    deepEqual(await readExactly(accepted, 1), [9]);
    equal(await accepted.read(), null);
    equal(await accepted.read(), null);
  });

  test("close() ends this side's own read with null", async (pair) => {
    const { dialled } = pair;
    const read = dialled.read();
    dialled.close();
    dialled.close();
    equal(await read, null);
    equal(await dialled.read(), null);
    await rejects(dialled.write(Uint8Array.of(1)), ConnectionLostError);
  });

  test("write() fails once the other side is gone", async (pair, { clock }) => {
    const { dialled, accepted } = pair;
    accepted.close();
    const flood = async () => {
      for (;;) {
        await dialled.write(new Uint8Array(65_536));
        await new Promise<void>((resolve) => void clock.after(1, resolve));
      }
    };
    await rejects(flood(), ConnectionLostError);
  });

  test("remote names the other side", async ({ listener, dialled }) => {
    deepEqual(dialled.remote, listener.address);
  });

  test("listen() refuses an address in use", async ({ listener }, { net }) => {
    await rejects(net.listen(listener.address), ListenError);
  });

  Deno.test(`${name}: close() ends accept() with null`, async () => {
    const { net, hostname, until } = make();
    const listener = await net.listen({ hostname, port: 0 });
    const accepted = listener.accept();
    listener.close();
    listener.close();
    equal(await until(accepted), null);
    equal(await until(listener.accept()), null);
    await rejects(until(net.connect(listener.address)), ConnectError);
  });
}

async function readExactly(
  connection: NetConnection,
  length: number,
): Promise<number[]> {
  return [...await readBytes(connection, length)];
}

async function readBytes(
  connection: NetConnection,
  length: number,
): Promise<Bytes> {
  const parts: Bytes[] = [];
  for (let left = length; left > 0;) {
    const part = await connection.read();
    if (part === null) break;
    parts.push(part);
    left -= part.length;
  }
  return concatBytes(...parts);
}
