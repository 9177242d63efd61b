/*
 * WebCrypto that answers within the turn: the same algorithms by node:crypto,
 * without the thread pool. A simulation ends all promises before time passes,
 * and in one order; a pool's answers come when they like.
 */
import { Buffer } from "node:buffer";
import nodeCrypto, {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";

const TAG_BYTES = 16;
const HASH = "sha256";
const secrets = new WeakMap<CryptoKey, Uint8Array>();

/** Sees every seal: the bytes of its key, its nonce, and what it is bound to. */
export type SealWatcher = (
  secret: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
) => void;
const NO_AAD = new Uint8Array(0);
const UNWATCHED: SealWatcher = () => {};
let watcher = UNWATCHED;

/** How long what is bound to `aad` takes; `null`: no time at all. */
export type CryptoPace = (aad: Uint8Array) => Promise<void> | null;
const AT_ONCE: CryptoPace = () => null;
let pace = AT_ONCE;
/** Keys that no node works with: they never take time. */
const outside = new WeakSet<CryptoKey>();

type Algorithm = string | { readonly name: string };

interface Hkdf {
  readonly salt: BufferSource;
  readonly info: BufferSource;
}

interface AesGcm {
  readonly iv: BufferSource;
  readonly additionalData?: BufferSource;
  readonly tagLength?: number;
}

/** What the product uses of `crypto.subtle`; anything else is not there. */
const subtle = {
  importKey(
    format: string,
    data: BufferSource,
    algorithm: Algorithm,
    extractable: boolean,
    usages: readonly KeyUsage[],
  ): Promise<CryptoKey> {
    if (format !== "raw") return refuse(`format ${format}`);
    const bytes = bytesOf(data).slice();
    return Promise.resolve(keyOf(algorithm, extractable, usages, bytes));
  },

  deriveBits(
    algorithm: Hkdf,
    base: CryptoKey,
    bits: number,
  ): Promise<ArrayBuffer> {
    return Promise.resolve(hkdf(algorithm, base, bits / 8).slice().buffer);
  },

  deriveKey(
    algorithm: Hkdf,
    base: CryptoKey,
    derived: { readonly name: string; readonly length?: number },
    extractable: boolean,
    usages: readonly KeyUsage[],
  ): Promise<CryptoKey> {
    const bytes = hkdf(algorithm, base, (derived.length ?? 512) / 8);
    return Promise.resolve(keyOf(derived, extractable, usages, bytes));
  },

  encrypt(
    params: AesGcm,
    key: CryptoKey,
    data: BufferSource,
  ): Promise<ArrayBuffer> {
    const [secret, nonce] = [secretOf(key), bytesOf(params.iv)];
    const { additionalData } = params;
    const aad = additionalData === undefined ? NO_AAD : bytesOf(additionalData);
    watcher(secret, nonce, aad);
    const cipher = createCipheriv("aes-256-gcm", secret, nonce);
    cipher.setAAD(aad);
    const sealed = Buffer.concat([
      cipher.update(bytesOf(data)),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return taking(pace(aad), new Uint8Array(sealed).buffer);
  },

  decrypt(
    params: AesGcm,
    key: CryptoKey,
    data: BufferSource,
  ): Promise<ArrayBuffer> {
    const bytes = bytesOf(data);
    const until = bytes.length - TAG_BYTES;
    if (until < 0) return notDecrypted();
    const [secret, nonce] = [secretOf(key), bytesOf(params.iv)];
    const cipher = createDecipheriv("aes-256-gcm", secret, nonce);
    const { additionalData } = params;
    const aad = additionalData === undefined ? NO_AAD : bytesOf(additionalData);
    cipher.setAAD(aad);
    cipher.setAuthTag(bytes.slice(until));
    try {
      const opened = Buffer.concat([
        cipher.update(bytes.slice(0, until)),
        cipher.final(),
      ]);
      const waits = outside.has(key) ? null : pace(aad);
      return taking(waits, new Uint8Array(opened).buffer);
    } catch {
      return notDecrypted();
    }
  },

  sign(
    _algorithm: Algorithm,
    key: CryptoKey,
    data: BufferSource,
  ): Promise<ArrayBuffer> {
    return Promise.resolve(hmac(key, data).slice().buffer);
  },

  verify(
    _algorithm: Algorithm,
    key: CryptoKey,
    signature: BufferSource,
    data: BufferSource,
  ): Promise<boolean> {
    const expected = hmac(key, data);
    const given = bytesOf(signature);
    return Promise.resolve(
      given.length === expected.length && timingSafeEqual(given, expected),
    );
  },

  digest(algorithm: Algorithm, data: BufferSource): Promise<ArrayBuffer> {
    const name = typeof algorithm === "string" ? algorithm : algorithm.name;
    if (name !== "SHA-256") return refuse(name);
    const digest = createHash(HASH).update(bytesOf(data)).digest();
    return Promise.resolve(new Uint8Array(digest).buffer);
  },
};

/** What seals on the calling thread answers in the turn: it is only watched. */
function watchedCipher(
  name: "aes-256-gcm",
  secret: Uint8Array,
  nonce: Uint8Array,
): ReturnType<typeof gcmCipher> {
  const cipher = gcmCipher(name, secret, nonce);
  const setAAD = cipher.setAAD.bind(cipher);
  cipher.setAAD = (aad) => {
    watcher(secret, nonce, aad as Uint8Array);
    return setAAD(aad);
  };
  return cipher;
}

function gcmCipher(
  name: "aes-256-gcm",
  secret: Uint8Array,
  nonce: Uint8Array,
) {
  return createCipheriv(name, secret, nonce);
}

/** Puts it in the place of the platform's, for this process, until undone. */
export function useTurnCrypto(
  onSeal: SealWatcher = UNWATCHED,
  onPace: CryptoPace = AT_ONCE,
): { undo(): void } {
  watcher = onSeal;
  pace = onPace;
  Object.defineProperty(crypto, "subtle", {
    value: subtle,
    configurable: true,
  });
  Reflect.set(nodeCrypto, "createCipheriv", watchedCipher);
  return {
    undo: () => {
      watcher = UNWATCHED;
      pace = AT_ONCE;
      Reflect.set(nodeCrypto, "createCipheriv", createCipheriv);
      Reflect.deleteProperty(crypto, "subtle");
    },
  };
}

/** Takes `key` for one of who watches: what it opens takes no time. */
export function isOutside(key: CryptoKey): CryptoKey {
  outside.add(key);
  return key;
}

function taking<T>(waits: Promise<void> | null, result: T): Promise<T> {
  return waits === null ? Promise.resolve(result) : waits.then(() => result);
}

function keyOf(
  algorithm: Algorithm,
  extractable: boolean,
  usages: readonly KeyUsage[],
  bytes: Uint8Array,
): CryptoKey {
  const name = typeof algorithm === "string" ? algorithm : algorithm.name;
  const key: CryptoKey = {
    algorithm: { name },
    extractable,
    type: "secret",
    usages: [...usages],
  };
  secrets.set(key, bytes);
  return key;
}

function secretOf(key: CryptoKey): Uint8Array {
  const secret = secrets.get(key);
  if (secret === undefined) throw new TypeError("another implementation's key");
  return secret;
}

function hkdf(
  { salt, info }: Hkdf,
  base: CryptoKey,
  length: number,
): Uint8Array {
  const [secret, salted, told] = [secretOf(base), bytesOf(salt), bytesOf(info)];
  return new Uint8Array(hkdfSync(HASH, secret, salted, told, length));
}

function hmac(key: CryptoKey, data: BufferSource): Uint8Array {
  const mac = createHmac(HASH, secretOf(key)).update(bytesOf(data)).digest();
  return new Uint8Array(mac);
}

function bytesOf(source: BufferSource): Uint8Array {
  return source instanceof ArrayBuffer
    ? new Uint8Array(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
}

function notDecrypted<T>(): Promise<T> {
  return Promise.reject(
    new DOMException("Decryption error", "OperationError"),
  );
}

function refuse<T>(what: string): Promise<T> {
  return Promise.reject(new TypeError(`no ${what} here`));
}
