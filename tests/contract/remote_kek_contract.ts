import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import {
  type KekTrouble,
  KekUnavailableError,
  WrapRejectedError,
} from "../../src/keys/kek_errors.ts";
import { probeKek } from "../../src/keys/kek_probe.ts";
import type { Kek, WrapContext } from "../../src/keys/port.ts";
import type { KekPortOptions } from "./kek_ports.ts";
import type { KekServer } from "./kek_server.ts";
import { assertShowsNone } from "./secret_forms.ts";

export interface RemoteKekSubject {
  readonly server: KekServer;
  open(options?: KekPortOptions): Promise<Kek>;
  /** Opens a key that the provider does not have. */
  openMissing(): Promise<Kek>;
  /** Opens with credentials that the provider does not know. */
  openStranger(): Promise<Kek>;
  readonly secrets: readonly (Uint8Array | string)[];
  /** In the provider's own words. */
  readonly says: {
    readonly throttled: () => Response;
    readonly failing: () => Response;
    readonly denied: () => Response;
    /** To a decryption: it gave `plaintext`. */
    readonly opened: (plaintext: Uint8Array) => Response;
  };
  close(): Promise<void>;
}

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 17 + 5 * i);
const PLACE: WrapContext = {
  kind: "dek",
  clusterId: new Uint8Array(16).fill(9),
  keyId: 7,
  purpose: "raft",
};
const TRIES_MAX = 4;
/** May be over before a busy machine's server has seen the request. */
const LIMIT_MS = 80;

/** What KEKs of a provider behind a network do when it misbehaves. */
export function runRemoteKekContract(
  name: string,
  make: () => Promise<RemoteKekSubject>,
): void {
  const test = (
    claim: string,
    body: (subject: RemoteKekSubject, kek: Kek) => Promise<void>,
    options: KekPortOptions = {},
  ) =>
    Deno.test(`${name}: ${claim}`, async () => {
      const subject = await make();
      try {
        await body(subject, await subject.open(options));
      } finally {
        await subject.close();
      }
    });

  /** Both calls fail so, after this many requests each. */
  const fails = async (
    subject: RemoteKekSubject,
    kek: Kek,
    expected: { readonly trouble: KekTrouble; readonly requests?: number },
    wrapped: Uint8Array<ArrayBuffer>,
  ) => {
    const secrets = [...subject.secrets, SECRET];
    const calls = [
      () => kek.wrap(SECRET.slice(), PLACE),
      () => kek.unwrap(wrapped.slice(), PLACE),
    ];
    for (const call of calls) {
      const before = subject.server.count();
      await rejects(call(), (error) => {
        assertShowsNone(error, secrets);
        ok(error instanceof KekUnavailableError, Deno.inspect(error));
        equal(error.trouble, expected.trouble, error.message);
        equal(error.kek, kek.id);
        match(error.remedy, /^[A-Z].*[^.]$/);
        return true;
      });
      if (expected.requests === undefined) continue;
      equal(subject.server.count() - before, expected.requests);
    }
  };

  test("goes on after a few refusals for being busy", async (subject, kek) => {
    const { server, says } = subject;
    for (const busy of [says.throttled, says.failing]) {
      server.interfere((nth) => nth < TRIES_MAX ? busy() : null);
      const wrapped = await kek.wrap(SECRET.slice(), PLACE);
      server.interfere((nth) => nth < TRIES_MAX ? busy() : null);
      deepEqual(await kek.unwrap(wrapped, PLACE), SECRET);
    }
    equal(server.count(), 4 * TRIES_MAX);
  });

  test("gives up on a provider that is busy for ever", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    for (const busy of [subject.says.throttled, subject.says.failing]) {
      subject.server.interfere(() => busy());
      await fails(
        subject,
        kek,
        { trouble: "busy", requests: TRIES_MAX },
        wrapped,
      );
    }
  });

  test("gives up on a page of a proxy that fails", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    subject.server.interfere(() =>
      new Response("<h1>502 Bad Gateway</h1>", { status: 502 })
    );
    const expected = { trouble: "busy", requests: TRIES_MAX } as const;
    await fails(subject, kek, expected, wrapped);
  });

  test("gives up on a provider that does not answer", async (subject, kek) => {
    const wrapped = new Uint8Array(await kekWrap(subject));
    subject.server.interfere(() => new Promise(() => {}));
    await fails(subject, kek, { trouble: "unreachable" }, wrapped);
  }, { limitMs: LIMIT_MS });

  test("gives up on an answer that does not end", async (subject, kek) => {
    const wrapped = new Uint8Array(await kekWrap(subject));
    subject.server.interfere(() =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(Uint8Array.of(0x7b)),
        }),
      )
    );
    await fails(subject, kek, { trouble: "unreachable" }, wrapped);
  }, { limitMs: LIMIT_MS });

  test("gives up where nobody listens", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    await subject.server.close();
    const expected = { trouble: "unreachable", requests: 0 } as const;
    await fails(subject, kek, expected, wrapped);
  });

  test("says at once what is no answer of the provider", async (
    subject,
    kek,
  ) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    const answers: readonly (() => BodyInit)[] = [
      () => "",
      () => "not JSON",
      () => "null",
      () => "[]",
      () => "{}",
      () => '{"data":null}',
      () => '{"data":{"ciphertext":7,"plaintext":7}}',
      () => '{"data":{"ciphertext":"vault:v0:AAAA","plaintext":"~"}}',
      () => `{"data":{"ciphertext":"vault:v1:${"A".repeat(2_000)}"}}`,
      () => '{"CiphertextBlob":"","Plaintext":""}',
      () => '{"CiphertextBlob":"~","Plaintext":"~"}',
      () => '{"CiphertextBlob":{},"Plaintext":[]}',
      () => crypto.getRandomValues(new Uint8Array(500)),
    ];
    for (const answer of answers) {
      subject.server.interfere(() => new Response(answer()));
      const expected = { trouble: "garbled", requests: 1 } as const;
      await fails(subject, kek, expected, wrapped);
    }
  });

  test("does not read an answer without end", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    subject.server.interfere(() =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
        }),
      )
    );
    const expected = { trouble: "garbled", requests: 1 } as const;
    await fails(subject, kek, expected, wrapped);
  });

  test("says at once that access is denied", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    const expected = { trouble: "denied", requests: 1 } as const;
    await fails(subject, await subject.openStranger(), expected, wrapped);
    subject.server.interfere(() => subject.says.denied());
    await fails(subject, kek, expected, wrapped);
  });

  test("says at once that there is no such key", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    const missing = await subject.openMissing();
    const expected = { trouble: "missing", requests: 1 } as const;
    await fails(subject, missing, expected, wrapped);
  });

  test("follows no redirect with its credentials", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    const { server } = subject;
    server.interfere((_, request) =>
      new URL(request.url).pathname === "/thief"
        ? new Response("{}")
        : Response.redirect(`${server.url}/thief`, 307)
    );
    await fails(subject, kek, { trouble: "refused", requests: 1 }, wrapped);
  });

  test("shows nothing of what a provider echoes", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    for (const status of [200, 400, 403, 404, 500]) {
      subject.server.interfere(async (_, request) => {
        const headers = [...request.headers].join("\n");
        const echo = `${headers}\n${await request.text()}`;
        const body = { __type: echo, message: echo, errors: [echo] };
        const text = status === 200 ? echo : JSON.stringify(body);
        return new Response(text, { status });
      });
      await rejects(kek.wrap(SECRET.slice(), PLACE), (error) => {
        assertShowsNone(error, [...subject.secrets, SECRET]);
        return error instanceof KekUnavailableError;
      });
      await rejects(kek.unwrap(wrapped, PLACE), (error) => {
        assertShowsNone(error, [...subject.secrets, SECRET]);
        return error instanceof KekUnavailableError;
      });
    }
  });

  test("rejects a wrap that holds no 32 bytes", async (subject, kek) => {
    const wrapped = await kek.wrap(SECRET.slice(), PLACE);
    for (const length of [1, 31, 33, 64]) {
      const plaintext = new Uint8Array(length).fill(1);
      subject.server.interfere(() => subject.says.opened(plaintext));
      await rejects(kek.unwrap(wrapped, PLACE), WrapRejectedError);
    }
  });

  test("a probe finds a provider that gives back another secret", async (
    subject,
    kek,
  ) => {
    subject.server.interfere((nth) =>
      nth === 2 ? subject.says.opened(new Uint8Array(32)) : null
    );
    const random = { bytes: () => SECRET.slice(), below: () => 0 };
    await rejects(probeKek(kek, random), (error) => {
      assertShowsNone(error, [SECRET]);
      return error instanceof KekUnavailableError &&
        error.trouble === "refused";
    });
  });

  test("many calls at once do not disturb each other", async (_, kek) => {
    const secrets = Array.from(
      { length: 16 },
      (_, i) => new Uint8Array(32).fill(i),
    );
    const opened = await Promise.all(
      secrets.map(async (secret, keyId) => {
        const place = { ...PLACE, keyId: keyId + 1 };
        return await kek.unwrap(await kek.wrap(secret, place), place);
      }),
    );
    deepEqual(opened, secrets);
  });
}

/** A wrap, made without the short limits of a test. */
async function kekWrap(subject: RemoteKekSubject): Promise<Uint8Array> {
  return await (await subject.open()).wrap(SECRET.slice(), PLACE);
}
