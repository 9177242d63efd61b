import { fromBinary } from "@bufbuild/protobuf";
import { fromBase64 } from "../../src/base/base64.ts";
import { ErrorInfoSchema } from "../../src/admin/gen/error_info_pb.ts";
import { ADMIN_TOKEN } from "./node_process.ts";

const ANSWER_MS_MAX = 30_000;

/** What a member answered; `reason` and `remedy` are "" without an error. */
export interface AdminAnswer {
  readonly status: number;
  readonly reply: Record<string, unknown>;
  /** Our code. */
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

/**
 * One call of the admin RPC at one member, as curl would make it: `rpc` is
 * `EncryptionAdmin/RotateDek`. `token` "" shows none.
 *
 * @throws {TypeError} When nobody answers, or the member dies meanwhile.
 */
export async function callAdmin(
  admin: string,
  rpc: string,
  body: unknown = {},
  token: string = ADMIN_TOKEN,
): Promise<AdminAnswer> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS_MAX);
  try {
    const response = await fetch(`http://${admin}/sealkv.admin.v1.${rpc}`, {
      method: "POST",
      headers: {
        ...token === "" ? {} : { authorization: `Bearer ${token}` },
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
      signal: late.signal,
    });
    const reply = await response.json();
    const { reason, metadata } = errorInfoOf(reply);
    return {
      status: response.status,
      reply,
      reason,
      message: response.ok ? "" : String(reply["message"] ?? ""),
      remedy: metadata["remedy"] ?? "",
    };
  } finally {
    clearTimeout(timer);
  }
}

interface ErrorReply {
  readonly details?: readonly {
    readonly type: string;
    readonly value: string;
  }[];
}

interface Info {
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function errorInfoOf({ details = [] }: ErrorReply): Info {
  const info = details.find(({ type }) => type === "google.rpc.ErrorInfo");
  if (info === undefined) return { reason: "", metadata: {} };
  // Connect leaves the padding out.
  const padded = info.value.padEnd(Math.ceil(info.value.length / 4) * 4, "=");
  return fromBinary(ErrorInfoSchema, fromBase64(padded)!);
}
