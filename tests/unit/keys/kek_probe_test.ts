import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  KekUnavailableError,
  WrapRejectedError,
} from "../../../src/keys/kek_errors.ts";
import { probeKek } from "../../../src/keys/kek_probe.ts";
import type { Kek } from "../../../src/keys/port.ts";
import { LocalKek } from "../../../src/keys/providers/local_kek.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { rawKek } from "./sim_kek_ports.ts";

const random = new SimRandom(1);
const local = () => LocalKek.of(rawKek(), random);

Deno.test("probeKek() passes a KEK that wraps, unwraps and binds", async () => {
  await probeKek(await local(), random);
});

Deno.test("probeKek() draws another secret each time", async () => {
  const kek = await local();
  const secrets: string[] = [];
  const listening: Kek = {
    id: kek.id,
    wrap: (secret, context) => {
      secrets.push(secret.join());
      return kek.wrap(secret, context);
    },
    unwrap: (wrapped, context) => kek.unwrap(wrapped, context),
  };
  await probeKek(listening, random);
  await probeKek(listening, random);
  equal(new Set(secrets).size, 2);
});

/** Each does one thing wrong. */
const BROKEN: Readonly<Record<string, (kek: Kek) => Partial<Kek>>> = {
  "rejects its own wrap": (kek) => ({
    unwrap: () => Promise.reject(new WrapRejectedError(kek.id)),
  }),
  "gives back another secret": () => ({
    unwrap: async () => new Uint8Array(32),
  }),
  "gives back a shorter secret": (kek) => ({
    unwrap: async (wrapped, context) =>
      (await kek.unwrap(wrapped, context)).slice(0, 31),
  }),
  "does not look at the place": (kek) => {
    const place = {
      kind: "challenge",
      clusterId: new Uint8Array(16),
      term: 1,
      target: 1n,
    } as const;
    return {
      wrap: (secret) => kek.wrap(secret, place),
      unwrap: (wrapped) => kek.unwrap(wrapped, place),
    };
  },
};

for (const [fault, breaks] of Object.entries(BROKEN)) {
  Deno.test(`probeKek() finds a KEK that ${fault}`, async () => {
    const kek = await local();
    const broken: Kek = {
      id: kek.id,
      wrap: (secret, context) => kek.wrap(secret, context),
      unwrap: (wrapped, context) => kek.unwrap(wrapped, context),
      ...breaks(kek),
    };
    await rejects(probeKek(broken, random), (error) => {
      deepEqual([
        error instanceof KekUnavailableError,
        (error as KekUnavailableError).kek,
      ], [true, kek.id]);
      return true;
    });
  });
}

Deno.test("probeKek() passes on what a provider says", async () => {
  const trouble = new KekUnavailableError("kek", "denied", "x", "Look");
  const kek: Kek = {
    id: "kek",
    wrap: () => Promise.reject(trouble),
    unwrap: () => Promise.reject(trouble),
  };
  await rejects(probeKek(kek, random), trouble);
});
