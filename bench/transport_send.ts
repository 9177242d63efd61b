// deno-lint-ignore-file no-console -- a bench prints.
/*
 * How many append messages a second go from one member to another, over real
 * loopback sockets, with one entry of 1 KiB or 64 KiB each? The sender keeps
 * at most 16 MiB on their way, as raft does. Prints a table, then JSON.
 *
 *     deno run -A bench/transport_send.ts
 */
import { utf8 } from "../src/base/bytes.ts";
import { deriveHmacKey, signHmac, verifyHmac } from "../src/crypto/hmac.ts";
import { denoClock } from "../src/io/deno/clock.ts";
import { denoNet } from "../src/io/deno/net.ts";
import { denoRandom } from "../src/io/deno/random.ts";
import { draftMessage, type Message, MSG_APP } from "../src/raft/message.ts";
import { openTransport } from "../src/transport/open_transport.ts";
import type {
  PeerProver,
  Transport,
  TransportHost,
} from "../src/transport/port.ts";

const SIZES = [1024, 64 * 1024];
const RUN_MS = 3_000;
const INFLIGHT_BYTES = 16 * 2 ** 20;
const NAMES = ["", "n1", "n2"];

interface Bench {
  readonly sender: Transport;
  readonly receiver: Transport;
  readonly state: { received: number; onMessage: () => void };
}

function hostOf(id: number, onMessage: () => void, onUp: () => void) {
  const host: TransportHost = {
    identity: () => ({
      clusterId: new Uint8Array(16).fill(1),
      name: NAMES[id] ?? "",
      id,
      address: "",
      diskId: new Uint8Array(16).fill(id),
      protocolVersion: 1,
      foundingDigest: new Uint8Array(32),
      epochs: [],
    }),
    vet: () => null,
    onMessage,
    onPacket: () => {},
    onStream: () => {},
    onLinkUp: onUp,
    onLinkDown: () => {},
    onRefused: () => {},
  };
  return host;
}

async function proverOf(token: string): Promise<PeerProver> {
  const salt = new Uint8Array(0);
  const key = await deriveHmacKey(utf8(token), { salt, info: "bench" });
  return {
    prove: (message) => signHmac(key, message),
    verify: (message, proof) => verifyHmac(key, message, proof),
  };
}

async function open(): Promise<Bench> {
  const state = { received: 0, onMessage: () => {} };
  const shared = {
    net: denoNet(),
    clock: denoClock(),
    random: denoRandom(),
    log: { write: () => {} },
    listen: { hostname: "127.0.0.1", port: 0 },
    prover: await proverOf("a token for a bench"),
  };
  const up = Promise.withResolvers<void>();
  const receive = () => {
    state.received += 1;
    state.onMessage();
  };
  const receiver = await openTransport({
    ...shared,
    host: hostOf(2, receive, () => {}),
  });
  const sender = await openTransport({
    ...shared,
    host: hostOf(1, () => {}, () => up.resolve()),
  });
  sender.setPeers([{ id: 2, name: "n2", ...receiver.address }]);
  await up.promise;
  return { sender, receiver, state };
}

function append(data: Uint8Array, index: number): Message {
  const message = draftMessage(MSG_APP, 2);
  message.from = 1;
  message.term = 1;
  message.logTerm = 1;
  message.index = index;
  message.entries = [{ type: 0, term: 1, index: index + 1, data }];
  return message;
}

async function measure(bytes: number, perTurn: number) {
  const { sender, receiver, state } = await open();
  const data = crypto.getRandomValues(new Uint8Array(bytes));
  const window = Math.max(1, Math.floor(INFLIGHT_BYTES / bytes));
  let sent = 0;
  const start = performance.now();
  const done = Promise.withResolvers<void>();
  const pump = () => {
    if (performance.now() - start >= RUN_MS) {
      if (state.received === sent) done.resolve();
      return;
    }
    while (sent - state.received + perTurn <= window) {
      const messages: Message[] = [];
      for (let i = 0; i < perTurn; i += 1) {
        messages.push(append(data, sent + i));
      }
      sender.send(messages);
      sent += perTurn;
    }
  };
  state.onMessage = () => {
    if (state.received % perTurn === 0) pump();
  };
  pump();
  await done.promise;
  const seconds = (performance.now() - start) / 1000;
  const { messagesDropped } = sender.counters;
  await sender.close();
  await receiver.close();
  return {
    entryBytes: bytes,
    messagesPerSecond: Math.round(sent / seconds),
    mibPerSecond: Math.round(sent * bytes / seconds / 2 ** 20),
    dropped: messagesDropped,
  };
}

const rows = [];
for (const bytes of SIZES) rows.push(await measure(bytes, 16));
console.table(rows);
console.log(JSON.stringify(rows));
