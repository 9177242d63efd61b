import {
  ConnectError,
  createConnectRouter,
  createContextValues,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import {
  createFetchHandler,
  type UniversalHandlerFn,
} from "@connectrpc/connect/protocol";
import { NodeError } from "../base/error.ts";
import type { HttpHandler, RemoteAddress } from "../io/http.ts";
import type { EventLog } from "../io/log.ts";
import type { EncryptionPort } from "../node/encryption_port.ts";
import { CALLER_ADDRESS } from "./actor.ts";
import { auditing } from "./audit.ts";
import {
  clusterService,
  type ClusterServiceOptions,
} from "./cluster_service.ts";
import { encryptionService } from "./encryption_service.ts";
import { AdminTokenRejectedError } from "./errors.ts";
import { ClusterAdmin } from "./gen/admin_pb.ts";
import { EncryptionAdmin } from "./gen/encryption_pb.ts";
import { toWireError } from "./wire_error.ts";

/** Requests are a few fields; more is an attack. */
export const REQUEST_BYTES_MAX = 65_536;
const CALL_TIMEOUT_MS_MAX = 600_000;

export interface AdminHandlerOptions extends ClusterServiceOptions {
  readonly encryption: EncryptionPort;
  /** Compares in constant time. */
  readonly isAdminToken: (given: string) => Promise<boolean>;
}

/**
 * Answers `sealkv.admin.v1` over Connect (JSON and protobuf) and gRPC-Web.
 *
 * Every call shows the admin token as `authorization: Bearer`, and is refused
 * before its body is read when it does not. Native gRPC is not served: it needs
 * trailers.
 */
export function adminHandler(options: AdminHandlerOptions): HttpHandler {
  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: REQUEST_BYTES_MAX,
    maxTimeoutMs: CALL_TIMEOUT_MS_MAX,
    requestGate: (context) => checkToken(context, options),
    // The outer one first: it sees what the inner one lets pass.
    interceptors: [errorsOnTheWire(options.log), auditing(options.audit)],
  });
  router.service(ClusterAdmin, clusterService(options));
  router.service(EncryptionAdmin, encryptionService(options));
  const handlers = new Map(
    router.handlers.map((handler) => [handler.requestPath, handler]),
  );
  return (request, remote) => {
    const handler = handlers.get(new URL(request.url).pathname);
    return handler === undefined
      ? unknownPath()
      : createFetchHandler(from(remote, handler))(request);
  };
}

/** `handler` with the address of its caller at hand. */
function from(
  { hostname }: RemoteAddress,
  handler: UniversalHandlerFn,
): UniversalHandlerFn {
  return (request) => {
    const contextValues = createContextValues().set(CALLER_ADDRESS, hostname);
    return handler({ ...request, contextValues });
  };
}

async function checkToken(
  context: HandlerContext,
  options: AdminHandlerOptions,
): Promise<void> {
  const header = context.requestHeader.get("authorization") ?? "";
  const given = /^Bearer +([\x21-\x7e]+)$/i.exec(header)?.[1];
  if (given !== undefined && await options.isAdminToken(given)) return;
  options.log.write("warn", "admin_token_rejected", {
    rpc: context.method.name,
  });
  throw toWireError(new AdminTokenRejectedError());
}

/** Errors of a call, and of a stream amid it. */
function errorsOnTheWire(log: EventLog): Interceptor {
  return (next) => async (request) => {
    const rpc = request.method.name;
    try {
      const response = await next(request);
      if (!response.stream) return response;
      const message = translated(response.message, { log, rpc });
      return { ...response, message };
    } catch (error) {
      throw onTheWire(error, { log, rpc });
    }
  };
}

interface Call {
  readonly log: EventLog;
  readonly rpc: string;
}

/** By hand: what a leaving caller throws into it is no error of the call. */
async function* translated<T>(
  messages: AsyncIterable<T>,
  call: Call,
): AsyncGenerator<T> {
  const inner = messages[Symbol.asyncIterator]();
  const next = () =>
    inner.next().catch((error) => {
      throw onTheWire(error, call);
    });
  try {
    for (let item = await next(); !item.done; item = await next()) {
      yield item.value;
    }
  } finally {
    await inner.return?.();
  }
}

/** What is no error of ours goes on as it is: its text stays here. */
function onTheWire(error: unknown, { log, rpc }: Call): unknown {
  if (error instanceof NodeError) return toWireError(error);
  if (!(error instanceof ConnectError)) {
    log.write("error", "admin_call_failed", {
      rpc,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
  return error;
}

/** Shaped like a Connect error, so that every client can read it. */
function unknownPath(): Response {
  return Response.json(
    { code: "unimplemented", message: "Cannot answer as there is no such RPC" },
    { status: 404 },
  );
}
