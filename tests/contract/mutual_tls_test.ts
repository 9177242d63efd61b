/*
 * Client certificates on the runtime that runs this: Deno 2.9 and later refuse
 * who shows none, earlier ones let everyone in, and the probe says so.
 */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { denoClock } from "../../src/io/deno/clock.ts";
import { mutualTlsNet } from "../../src/io/deno/mutual_tls_net.ts";
import { denoNet } from "../../src/io/deno/net.ts";
import { denoRandom } from "../../src/io/deno/random.ts";
import { InvariantError } from "../../src/base/assert.ts";
import { ConnectError, ConnectionLostError } from "../../src/io/errors.ts";
import type { Net } from "../../src/io/net.ts";
import { MutualTlsUnsupportedError } from "../../src/transport/errors.ts";
import { probeMutualTls } from "../../src/transport/mutual_tls_probe.ts";
import { loopbackAddress } from "../loopback.ts";
import { runNetContract } from "./net_contract.ts";
import { runTransportContract } from "./transport_contract.ts";
import { simProver } from "./transport_member.ts";

const fixture = (name: string) =>
  Deno.readTextFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
const OWN = { cert: fixture("cert.pem"), key: fixture("key.pem") };
const STRANGER = {
  cert: fixture("stranger_cert.pem"),
  key: fixture("stranger_key.pem"),
};
const CA = fixture("ca.pem");
const LISTEN = { ...OWN, clientCa: CA };
const DIAL = { ...OWN, ca: CA, serverName: "localhost" };
const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
const isSupported = major > 2 || major === 2 && minor >= 9;

/** As if every caller had asked for TLS with certificates on both sides. */
function certified(): Net {
  const net = mutualTlsNet();
  return {
    listen: (options) => net.listen({ ...options, tls: LISTEN }),
    connect: (options) => net.connect({ ...options, tls: DIAL }),
  };
}

if (isSupported) {
  runNetContract("mutualTlsNet", () => ({
    net: certified(),
    hostname: loopbackAddress(),
    clock: denoClock(),
    until: (work) => work,
  }));

  runTransportContract("mutual TLS", () => {
    const hostname = loopbackAddress();
    return {
      net: () => mutualTlsNet(),
      hostname: () => hostname,
      clock: denoClock(),
      random: () => denoRandom(),
      prover: simProver,
      tls: { listen: { tls: LISTEN }, dial: DIAL },
      until: (work) => work,
    };
  });
}

Deno.test({
  name: "mutualTlsNet: only who shows a certificate of the CA is let in",
  ignore: !isSupported,
  fn: async () => {
    const net = mutualTlsNet();
    const listener = await net.listen({
      hostname: "127.0.0.1",
      port: 0,
      tls: LISTEN,
    });
    let accepted = 0;
    const serving = (async () => {
      for (;;) {
        const connection = await listener.accept();
        if (connection === null) return;
        accepted += 1;
        try {
          await connection.write(Uint8Array.of(7));
        } catch (error) {
          // A client that does not like what it reached.
          if (!(error instanceof ConnectionLostError)) throw error;
        }
        connection.close();
      }
    })();
    const dial = async (tls: object) => {
      const connection = await net.connect({ ...listener.address, tls });
      try {
        return await connection.read();
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
        return null;
      } finally {
        connection.close();
      }
    };
    deepEqual(await dial({ ...OWN, ca: CA }), Uint8Array.of(7));
    deepEqual(await dial(DIAL), Uint8Array.of(7));
    equal(await dial({ ca: CA }), null);
    equal(await dial({ ...STRANGER, ca: CA }), null);
    equal(accepted, 2);
    // The dialled side is verified as ever.
    await rejects(dial(OWN), ConnectError);
    await rejects(dial({ ...DIAL, serverName: "elsewhere" }), ConnectError);
    await rejects(dial({ ...DIAL, serverName: "10.0.0.9" }), ConnectError);
    listener.close();
    await serving;
  },
});

Deno.test({
  name: "mutualTlsNet: connect() gives up with its signal",
  ignore: !isSupported,
  fn: async () => {
    const silent = await denoNet().listen({ hostname: "127.0.0.1", port: 0 });
    const accepting = silent.accept();
    for (const net of [mutualTlsNet(), denoNet()]) {
      const abort = new AbortController();
      const dialling = net.connect({
        ...silent.address,
        tls: { ca: CA },
        signal: abort.signal,
      });
      const refused = rejects(dialling, ConnectError);
      denoClock().after(50, () => abort.abort());
      await refused;
    }
    silent.close();
    (await accepting)?.close();
  },
});

const PROBE = { clock: denoClock(), tls: LISTEN, serverName: "localhost" };

Deno.test({
  name: "probeMutualTls() is content with this runtime",
  ignore: !isSupported,
  fn: async () => {
    await probeMutualTls({ ...PROBE, net: mutualTlsNet() });
    await probeMutualTls({
      ...PROBE,
      net: mutualTlsNet(),
      serverName: "127.0.0.1",
    });
  },
});

Deno.test({
  name: "probeMutualTls() finds that this runtime lets everyone in",
  ignore: isSupported,
  fn: async () => {
    await rejects(
      probeMutualTls({ ...PROBE, net: mutualTlsNet() }),
      MutualTlsUnsupportedError,
    );
  },
});

Deno.test("probeMutualTls() finds a listener that does not ask", async () => {
  const net = denoNet();
  const careless: Net = {
    listen: ({ tls: _, ...rest }) => net.listen({ ...rest, tls: OWN }),
    connect: ({ tls: _, ...rest }) =>
      net.connect({ ...rest, tls: { ca: CA, serverName: "localhost" } }),
  };
  await rejects(
    probeMutualTls({ ...PROBE, net: careless }),
    (error) =>
      error instanceof MutualTlsUnsupportedError &&
      /without --peer-mtls/.test(error.remedy),
  );
});

Deno.test({
  name: "probeMutualTls() tells a bad certificate from a refusal",
  ignore: !isSupported,
  fn: async () => {
    const net = mutualTlsNet();
    await rejects(
      probeMutualTls({ ...PROBE, net, serverName: "elsewhere" }),
      ConnectError,
    );
    await rejects(
      probeMutualTls({ ...PROBE, net, tls: { ...LISTEN, ...STRANGER } }),
      ConnectError,
    );
  },
});

Deno.test("denoNet() does not pretend to know client certificates", async () => {
  const address = { hostname: "127.0.0.1", port: 0 };
  await rejects(
    denoNet().listen({ ...address, tls: LISTEN }),
    InvariantError,
  );
  await rejects(
    denoNet().connect({ ...address, port: 1, tls: DIAL }),
    InvariantError,
  );
});
