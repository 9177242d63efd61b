import { toBase64 } from "../../../src/base/base64.ts";
import { type Bytes, concatBytes, utf8 } from "../../../src/base/bytes.ts";
import { KEK_ID_BYTES_MAX } from "../../../src/base/data_key.ts";
import {
  KekSourceInvalidError,
  KekUnavailableError,
  WrapRejectedError,
} from "../../../src/keys/kek_errors.ts";
import type { KekPorts } from "../../../src/keys/kek_ports.ts";
import type { Kek, WrapContext } from "../../../src/keys/port.ts";
import { openKek } from "../../../src/keys/providers/open_kek.ts";
import { ExecError } from "../../../src/io/errors.ts";
import { simKekPorts } from "../../unit/keys/sim_kek_ports.ts";
import { type Decoder, only, type Verdict } from "../run/decoder.ts";
import { textNear, textOf } from "../run/text.ts";

const URIS = [
  "file:/etc/sealkv/kek",
  "env:SEALKV_KEK",
  "exec:op read 'a b'",
  "vault-transit:kek?addr=https://v.example:8200&mount=a/b&namespace=ns",
  "vault-transit:kek?addr=http://127.0.0.1:1",
  "aws-kms:alias/kek?region=eu-west-1&endpoint=https://kms.example",
  "aws-kms:arn:aws:kms:eu-west-1:111122223333:key/1234-abcd",
];
const URI_PIECES = [
  ...["?", "&", "=", "#", "@", ":", "/", "//", "%", "%2F", "%00", "+", " "],
  ...["addr", "mount", "namespace", "region", "endpoint", "token", "[::1]"],
  ...["'", '"', "\\", "\0", "\n", "\uFEFF", "ä", "..", "https://", "http://"],
];

const VARIABLES: Readonly<Record<string, string>> = {
  VAULT_TOKEN: "hvs.token",
  AWS_ACCESS_KEY_ID: "AKID",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_REGION: "eu-west-1",
};

const SIM = simKekPorts();

/** A world without KEKs; a provider answers with `answer`, at once. */
function portsWith(answer: () => Response): KekPorts {
  return {
    files: SIM.files,
    random: SIM.random,
    process: {
      ...{ env: (name) => VARIABLES[name], deleteEnv: () => {} },
      onStopSignal: () => ({ cancel: () => {} }),
      exec: ([program = ""]) =>
        Promise.reject(new ExecError(program, "missing")),
      residentBytes: () => 0,
    },
    http: { fetch: () => Promise.resolve(answer()), close: () => {} },
    clock: {
      wallMs: () => 1_790_000_000_000,
      monotonicMs: () => 0,
      soon: (task) => queueMicrotask(task),
      after: (ms, task) => {
        if (ms < TRY_MS) queueMicrotask(task);
        return { cancel: () => {} };
      },
    },
  };
}

/** Of one try: it never runs out here. */
const TRY_MS = 5_000;

const NOWHERE = portsWith(() => new Response(null, { status: 500 }));

async function openUri(bytes: Bytes): Promise<Verdict> {
  const { id } = await openKek(textOf(bytes), NOWHERE);
  if (!/^[\x21-\x7e]+$/.test(id) || id.length > KEK_ID_BYTES_MAX) {
    throw new Error(`an id of another form: ${id}`);
  }
  if ((await openKek(id, NOWHERE)).id !== id) throw new Error("another id");
  return "taken";
}

const CONTEXT: WrapContext = {
  kind: "dek",
  clusterId: new Uint8Array(16).fill(1),
  keyId: 7,
  purpose: "storage",
};
const SECRET = new Uint8Array(32).fill(9);
const STATUSES = [200, 200, 200, 200, 400, 401, 403, 404, 412, 429, 500, 503];
const ANSWER_BYTES_MAX = 65_536;

/** The answer of a provider: a status's place in STATUSES, then the body. */
function answerOf(place: number, body: string): Bytes {
  return concatBytes(Uint8Array.of(place), utf8(body));
}

/**
 * A provider's answers to a wrap and an unwrap: either may come of it, or a
 * refusal by name.
 */
function answersOf(
  name: string,
  uri: string,
  given: {
    readonly wrapped: Bytes;
    readonly valid: readonly Bytes[];
  },
): Decoder {
  const texts = given.valid.map((bytes) => textOf(bytes.subarray(1)));
  const near = textNear(texts);
  return {
    name,
    bytesMax: ANSWER_BYTES_MAX,
    valid: given.valid,
    near: (rng) => concatBytes(rng.bytes(1), near(rng)),
    heapPerByte: 256,
    // Up to four requests, signed ones.
    heapEach: 2 ** 20,
    decode: async (bytes) => {
      const status = STATUSES[(bytes[0] ?? 0) % STATUSES.length] ?? 200;
      const kek = await openKek(
        uri,
        portsWith(() => new Response(bytes.subarray(1), { status })),
      );
      const isWrap = ((bytes[0] ?? 0) & 0x80) !== 0;
      return await asked(kek, isWrap ? null : given.wrapped);
    },
    refuses: only(KekUnavailableError, WrapRejectedError),
  };
}

async function asked(kek: Kek, wrapped: Bytes | null): Promise<Verdict> {
  if (wrapped === null) {
    const made = await kek.wrap(SECRET, CONTEXT);
    if (made.length === 0 || made.length > 1_024) {
      throw new Error(`a wrap of ${made.length} bytes`);
    }
    return "taken";
  }
  const secret = await kek.unwrap(wrapped, CONTEXT);
  if (secret.length !== 32) throw new Error(`${secret.length} bytes of secret`);
  return "taken";
}

const CIPHERTEXT = `vault:v1:${toBase64(new Uint8Array(60).fill(7))}`;
const VAULT_REFUSAL = '{"errors":["cipher: message authentication failed"]}';

export const PROVIDER_DECODERS: readonly Decoder[] = [
  {
    name: "keys KEK URI",
    bytesMax: 8_192,
    valid: URIS.map(utf8),
    near: textNear(URIS, URI_PIECES),
    heapPerByte: 256,
    decode: openUri,
    refuses: (error) =>
      error instanceof KekSourceInvalidError ||
      error instanceof KekUnavailableError && error.trouble === "missing",
  },
  answersOf("keys Vault answer", "vault-transit:kek?addr=https://v.example", {
    wrapped: utf8(CIPHERTEXT),
    valid: [
      answerOf(0, `{"data":{"plaintext":"${toBase64(SECRET)}"}}`),
      answerOf(0x80 + 4, `{"data":{"ciphertext":"${CIPHERTEXT}"}}`),
      answerOf(4, VAULT_REFUSAL),
      answerOf(4, '{"errors":["encryption key not found"]}'),
    ],
  }),
  answersOf("keys KMS answer", "aws-kms:alias/kek", {
    wrapped: new Uint8Array(180).fill(3),
    valid: [
      answerOf(0, `{"KeyId":"k","Plaintext":"${toBase64(SECRET)}"}`),
      answerOf(0x80 + 4, `{"CiphertextBlob":"${toBase64(SECRET)}"}`),
      answerOf(4, '{"__type":"InvalidCiphertextException"}'),
      answerOf(4, '{"__type":"com.amazonaws.kms#NotFoundException"}'),
    ],
  }),
];
