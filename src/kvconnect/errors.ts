import { NodeError } from "../base/error.ts";

/** A request that no retry can save. `message` is the body clients get. */
export class RequestInvalidError extends NodeError {
  override readonly name = "RequestInvalidError";
  override readonly code = "KVCONNECT_REQUEST_INVALID";
  override readonly remedy = "Change the request as the message says";
}

/** A missing, malformed, foreign or outdated token. */
export class TokenRefusedError extends NodeError {
  override readonly name = "TokenRefusedError";
  override readonly code = "KVCONNECT_TOKEN_REFUSED";
  override readonly remedy =
    "Set DENO_KV_ACCESS_TOKEN to the access token of the server";
}

/** The database id of the request is not the addressed database's. */
export class DatabaseMismatchError extends NodeError {
  override readonly name = "DatabaseMismatchError";
  override readonly code = "KVCONNECT_DATABASE_MISMATCH";
  override readonly remedy =
    "Open the database again to fetch its current metadata";

  constructor() {
    super("Cannot serve a database id other than the addressed database's");
  }
}

/** No such path, or not with this method (`allow` names the right one). */
export class PathUnknownError extends NodeError {
  override readonly name = "PathUnknownError";
  override readonly code = "KVCONNECT_PATH_UNKNOWN";
  override readonly remedy =
    "Use the server's address, or the address followed by /db/NAME, as URL";

  constructor() {
    super(
      "Cannot find the path: POST to / or /db/NAME for the metadata exchange",
    );
  }
}

/** A body above its limit, announced or counted. */
export class BodyTooLargeError extends NodeError {
  override readonly name = "BodyTooLargeError";
  override readonly code = "KVCONNECT_BODY_TOO_LARGE";
  override readonly remedy = "Split the write into smaller ones";

  constructor(readonly bytesMax: number) {
    super(`Cannot take the body as it is over ${bytesMax} bytes`);
  }
}

/** One connection holds as many watches as it may. */
export class WatchesExhaustedError extends NodeError {
  override readonly name = "WatchesExhaustedError";
  override readonly code = "KVCONNECT_WATCHES_EXHAUSTED";
  override readonly remedy =
    "Watch several keys in one call, or open the database once more";

  constructor(readonly streamsMax: number) {
    super(`Cannot open more than ${streamsMax} watches on one connection`);
  }
}

/** The node is stopping or has no cluster id yet; a retry elsewhere helps. */
export class ServiceNotReadyError extends NodeError {
  override readonly name = "ServiceNotReadyError";
  override readonly code = "KVCONNECT_NOT_READY";
  override readonly remedy = "Try again; see `sealkv status` if it lasts";

  constructor() {
    super("Cannot serve yet or any more: the node is starting or stopping");
  }
}

/** Client side: no answer from the server. */
export class ServerUnreachableError extends NodeError {
  override readonly name = "ServerUnreachableError";
  override readonly code = "KVCONNECT_SERVER_UNREACHABLE";
  override readonly remedy =
    "Start a node with `sealkv serve`, or pass its address with --url";

  constructor(readonly url: string, options?: ErrorOptions) {
    super(`Cannot reach the server at "${url}"`, options);
  }
}

/** Client side: an answer other than 200. */
export class ServerRefusedError extends NodeError {
  override readonly name = "ServerRefusedError";
  override readonly code = "KVCONNECT_SERVER_REFUSED";
  override readonly remedy: string;

  constructor(readonly status: number, readonly reason: string) {
    super(`Cannot do this: the server answered ${status}: ${reason}`);
    this.remedy = status === 401
      ? "Set SEALKV_ACCESS_TOKEN to the access token of the server"
      : "Change the request as the message says";
  }
}

/** Client side: an answer that is not KV Connect. */
export class ReplyMalformedError extends NodeError {
  override readonly name = "ReplyMalformedError";
  override readonly code = "KVCONNECT_REPLY_MALFORMED";
  override readonly remedy = "Check that --url names a KV Connect server";

  constructor(readonly rule: string, options?: ErrorOptions) {
    super(`Cannot read the server's answer as ${rule}`, options);
  }
}
