import {
  deepEqual,
  equal,
  match,
  notDeepEqual,
  rejects,
} from "node:assert/strict";
import {
  KEK_ID_BYTES_MAX,
  type KeyPurpose,
  WRAPPED_BYTES_MAX,
} from "../../src/base/data_key.ts";
import { WrapRejectedError } from "../../src/keys/kek_errors.ts";
import { probeKek } from "../../src/keys/kek_probe.ts";
import type { Kek, WrapContext } from "../../src/keys/port.ts";
import { denoRandom } from "../../src/io/deno/random.ts";
import { assertShowsNone } from "./secret_forms.ts";

export interface KekSubject {
  /** Opens the KEK, anew on each call. */
  open(): Promise<Kek>;
  /** Opens another KEK of the same kind. */
  openOther(): Promise<Kek>;
  /** What must show nowhere: key bytes, and texts such as tokens. */
  readonly secrets: readonly (Uint8Array | string)[];
  close(): Promise<void>;
}

const CLUSTER = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const OTHER_CLUSTER = CLUSTER.with(15, 0);
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 255 - 7 * i);

const DEK: WrapContext = {
  kind: "dek",
  clusterId: CLUSTER,
  keyId: 305_419_896,
  purpose: "storage",
};
const CHALLENGE: WrapContext = {
  kind: "challenge",
  clusterId: CLUSTER,
  term: 7,
  target: 0x08b37b07b558d4c0n,
};

/** Each differs from `DEK` or `CHALLENGE` in one field. */
const ELSEWHERE: readonly [WrapContext, readonly WrapContext[]][] = [
  [DEK, [
    { ...DEK, clusterId: OTHER_CLUSTER },
    { ...DEK, keyId: 305_419_897 },
    ...(["raft", "state"] satisfies KeyPurpose[])
      .map((purpose) => ({ ...DEK, purpose })),
    CHALLENGE,
  ]],
  [CHALLENGE, [
    { ...CHALLENGE, clusterId: OTHER_CLUSTER },
    { ...CHALLENGE, term: 8 },
    { ...CHALLENGE, target: 0x08b37b07b558d4c1n },
    DEK,
  ]],
];

/** Bits that a flip changes: also the case of a letter, and ASCII itself. */
const FLIPS = [0x01, 0x20, 0x80];

/** What every KEK does, wherever it lives. */
export function runKekContract(
  name: string,
  make: () => Promise<KekSubject>,
): void {
  const test = (
    claim: string,
    body: (kek: Kek, subject: KekSubject) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${claim}`, async () => {
      const subject = await make();
      try {
        await body(await subject.open(), subject);
      } finally {
        await subject.close();
      }
    });
  const refuses = async (
    subject: KekSubject,
    kek: Kek,
    wrapped: Uint8Array,
    context: WrapContext,
    what: string,
  ) =>
    await rejects(
      kek.unwrap(wrapped.slice(), context),
      (error) => {
        assertShowsNone(error, [...subject.secrets, SECRET]);
        return error instanceof WrapRejectedError && error.kek === kek.id;
      },
      what,
    );

  test("unwrap() gives what wrap() took, on another instance too", async (
    kek,
    subject,
  ) => {
    for (const context of [DEK, CHALLENGE]) {
      const wrapped = await kek.wrap(SECRET.slice(), context);
      deepEqual(await kek.unwrap(wrapped, context), SECRET);
      const again = await subject.open();
      deepEqual(await again.unwrap(wrapped, context), SECRET);
    }
  });

  test("wrap() makes bounded bytes, others each time, without the secret", async (kek) => {
    const one = await kek.wrap(SECRET.slice(), DEK);
    const two = await kek.wrap(SECRET.slice(), DEK);
    notDeepEqual(one, two);
    equal(one.length > 0 && one.length <= WRAPPED_BYTES_MAX, true);
    assertShowsNone([...one], [SECRET]);
    assertShowsNone(new TextDecoder("latin1").decode(one), [SECRET]);
  });

  test("wrap() leaves the secret to its owner", async (kek) => {
    const secret = SECRET.slice();
    await kek.wrap(secret, DEK);
    deepEqual(secret, SECRET);
  });

  test("a wrap is bound to every field of its place", async (kek, subject) => {
    for (const [context, elsewhere] of ELSEWHERE) {
      const wrapped = await kek.wrap(SECRET.slice(), context);
      for (const other of elsewhere) {
        await refuses(subject, kek, wrapped, other, Deno.inspect(other));
      }
    }
  });

  test("another KEK's wrap is rejected", async (kek, subject) => {
    const other = await subject.openOther();
    notDeepEqual(other.id, kek.id);
    const wrapped = await other.wrap(SECRET.slice(), DEK);
    await refuses(subject, kek, wrapped, DEK, "another KEK's");
  });

  test("a flipped bit in any byte is rejected", async (kek, subject) => {
    const wrapped = await kek.wrap(SECRET.slice(), DEK);
    for (const [at, byte] of wrapped.entries()) {
      for (const flip of FLIPS) {
        const damaged = wrapped.with(at, byte ^ flip);
        await refuses(subject, kek, damaged, DEK, `byte ${at} ^ ${flip}`);
      }
    }
  });

  test("a wrap of any other length is rejected", async (kek, subject) => {
    const wrapped = await kek.wrap(SECRET.slice(), DEK);
    for (let length = 0; length < wrapped.length; length += 1) {
      const short = wrapped.slice(0, length);
      await refuses(subject, kek, short, DEK, `length ${length}`);
    }
    for (const more of [1, 2, 4, WRAPPED_BYTES_MAX]) {
      const long = new Uint8Array(wrapped.length + more);
      long.set(wrapped);
      await refuses(subject, kek, long, DEK, `${more} more`);
      long.fill(0x41, wrapped.length);
      await refuses(subject, kek, long, DEK, `${more} more letters`);
    }
  });

  test("id is the same on every instance, and visible ASCII", async (
    kek,
    subject,
  ) => {
    equal((await subject.open()).id, kek.id);
    match(kek.id, /^[\x21-\x7e]+$/);
    equal(kek.id.length <= KEK_ID_BYTES_MAX, true);
  });

  test("shows no secret, however it is printed", async (kek, subject) => {
    await kek.wrap(SECRET.slice(), DEK);
    assertShowsNone(kek, [...subject.secrets, SECRET]);
    assertShowsNone({ deep: [kek] }, [...subject.secrets, SECRET]);
  });

  test("passes the probe", async (kek) => {
    await probeKek(kek, denoRandom());
  });
}
