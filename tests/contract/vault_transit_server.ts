import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { jsonAnswer, type KekServer, startKekServer } from "./kek_server.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface VaultOptions {
  readonly token: string;
  readonly mount?: string;
  /** `null` is the root namespace. */
  readonly namespace?: string | null;
  /** Names of keys of type aes256-gcm96, each of one version. */
  readonly keys: readonly string[];
  /** As before 1.13: takes associated data and does nothing with it. */
  readonly ignoresAssociatedData?: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
}

/**
 * The part of Vault's HTTP API that transit keys need, words and leniency
 * included: base64 with stray bits, and version 0 for version 1.
 *
 * Sources: Vault API, "Transit secrets engine"; sdk/helper/keysutil/policy.go.
 */
export async function startVault(options: VaultOptions): Promise<KekServer> {
  const { mount = "transit", namespace = null } = options;
  const keys = new Map(options.keys.map((name) => [name, randomBytes(32)]));
  return await startKekServer(async (request) => {
    const { pathname } = new URL(request.url);
    if (request.headers.get("x-vault-request") !== "true") {
      return complain(412, "required request header missing");
    }
    if (request.headers.get("x-vault-namespace") !== namespace) {
      return complain(404, "no handler for route");
    }
    if (request.headers.get("x-vault-token") !== options.token) {
      return complain(403, "permission denied");
    }
    const [name = "", operation = "", ...rest] = pathname.split("/").reverse();
    const route = rest.reverse().join("/");
    if (request.method !== "POST" || route !== `/v1/${mount}`) {
      return complain(404, `no handler for route "${route}"`);
    }
    const key = keys.get(name);
    if (key === undefined) return complain(400, "encryption key not found");
    const input = await request.json() as Record<string, string>;
    const associated = options.ignoresAssociatedData
      ? Buffer.alloc(0)
      : Buffer.from(input["associated_data"] ?? "", "base64");
    switch (operation) {
      case "encrypt":
        return data({
          ciphertext: encrypt(key, input["plaintext"] ?? "", associated),
          key_version: 1,
        });
      case "decrypt":
        return decrypt(key, input["ciphertext"] ?? "", associated);
      default:
        return complain(404, "unsupported path");
    }
  }, options.tls);
}

function encrypt(key: Uint8Array, plaintext: string, associated: Uint8Array) {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(associated);
  const sealed = Buffer.concat([
    nonce,
    cipher.update(Buffer.from(plaintext, "base64")),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return `vault:v1:${sealed.toString("base64")}`;
}

function decrypt(
  key: Uint8Array,
  ciphertext: string,
  associated: Uint8Array,
): Response {
  const prefix = "vault:v";
  if (!ciphertext.startsWith(prefix)) {
    return complain(400, "invalid ciphertext: no prefix");
  }
  const [version = "", body] = ciphertext.slice(prefix.length).split(":");
  if (body === undefined) {
    return complain(400, "invalid ciphertext: wrong number of fields");
  }
  if (!/^[0-9]+$/.test(version)) {
    const rule = "version number could not be decoded";
    return complain(400, `invalid ciphertext: ${rule}`);
  }
  // Version 0 is version 1, from the time when they were counted from 0.
  if (Number(version) > 1) {
    return complain(400, "invalid ciphertext: version is too new");
  }
  const sealed = Buffer.from(body, "base64");
  if (sealed.length < NONCE_BYTES + TAG_BYTES) {
    return complain(400, "invalid ciphertext length");
  }
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce)
    .setAAD(associated)
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const opened = Buffer.concat([
      decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
    return data({ plaintext: opened.toString("base64") });
  } catch {
    return complain(400, "cipher: message authentication failed");
  }
}

/** An answer of Vault, with what stands around each. */
function data(body: unknown): Response {
  return jsonAnswer(200, {
    request_id: crypto.randomUUID(),
    lease_id: "",
    renewable: false,
    lease_duration: 0,
    data: body,
    wrap_info: null,
    warnings: null,
    auth: null,
  });
}

export function complain(status: number, ...errors: string[]): Response {
  return jsonAnswer(status, { errors });
}
