import { deriveHmacKey, signHmac, verifyHmac } from "../../src/crypto/hmac.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { denoClock } from "../../src/io/deno/clock.ts";
import { denoNet } from "../../src/io/deno/net.ts";
import { denoRandom } from "../../src/io/deno/random.ts";
import type { PeerProver } from "../../src/transport/port.ts";
import { loopbackAddress } from "../loopback.ts";
import { SimClock } from "../sim/io/clock.ts";
import { SimNet } from "../sim/io/net.ts";
import { SimRandom } from "../sim/io/random.ts";
import { runTransportContract } from "./transport_contract.ts";
import {
  simProver,
  type TransportWorld,
  untilWithin,
} from "./transport_member.ts";

const fixture = (name: string) =>
  Deno.readTextFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
const TLS = { cert: fixture("cert.pem"), key: fixture("key.pem") };

/** Real sockets on this machine. */
function loopback(): TransportWorld {
  const hostname = loopbackAddress();
  return {
    net: () => denoNet(),
    hostname: () => hostname,
    clock: denoClock(),
    random: () => denoRandom(),
    prover: hmacProver,
    until: (work) => work,
  };
}

function hmacProver(token: string): PeerProver {
  const salt = new Uint8Array(0);
  let derived: Promise<CryptoKey> | null = null;
  // Not before it is used: a refused peer needs none, and nobody would wait.
  const key = () =>
    derived ??= deriveHmacKey(utf8(token), { salt, info: "test" });
  return {
    prove: async (message) => await signHmac(await key(), message),
    verify: async (message, proof) =>
      await verifyHmac(await key(), message, proof),
  };
}

function simulation(delayMs: number, windowBytes: number): TransportWorld {
  const clock = new SimClock();
  const net = new SimNet(clock, () => delayMs, windowBytes);
  return {
    net: (id) => net.host(`host${id}`),
    hostname: (id) => `host${id}`,
    clock,
    random: (id) => new SimRandom(id),
    prover: simProver,
    until: (work) => untilWithin(clock, work),
  };
}

runTransportContract("loopback", loopback);
runTransportContract("loopback with TLS", () => ({
  ...loopback(),
  hostname: () => "localhost",
  tls: { listen: { tls: TLS }, dial: { ca: fixture("ca.pem") } },
}));
runTransportContract("SimNet", () => simulation(3, 256 * 1024));
