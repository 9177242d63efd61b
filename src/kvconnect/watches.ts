import type { Bytes } from "../base/bytes.ts";
import type { Clock, Timer } from "../io/clock.ts";
import type { RemoteAddress } from "../io/http.ts";
import type { NodePort } from "../node/port.ts";
import { keepAliveFrame } from "./encode_reply.ts";
import { ServiceNotReadyError, WatchesExhaustedError } from "./errors.ts";
import { WATCH_KEEP_ALIVE_MS, WATCH_STREAMS_MAX } from "./limits.ts";
import { Watcher } from "./watch.ts";

export interface WatchesOptions {
  readonly node: NodePort;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

/**
 * All open watches: counted by connection, kept alive, ended together.
 *
 * An open watch takes one of the 200 streams of its HTTP/2 connection, over
 * which the client sends everything else too, so each connection (remote
 * address and port) gets WATCH_STREAMS_MAX.
 */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #open = new Set<Watcher>();
  readonly #streamsByRemote = new Map<string, number>();
  readonly #stopRegistration: { cancel(): void };
  #keepAlive: Timer | null = null;
  #stopped = false;

  constructor(options: WatchesOptions) {
    this.#options = options;
    this.#stopRegistration = options.node.onStop(() => this.#endAll());
  }

  get count(): number {
    return this.#open.size;
  }

  /**
   * Opens a stream of watch frames.
   *
   * @throws {NodeError} WatchesExhausted, ServiceNotReady, the node's.
   */
  async open(
    target: { readonly database: string; readonly keys: readonly Uint8Array[] },
    remote: RemoteAddress,
  ): Promise<ReadableStream<Bytes>> {
    if (this.#stopped) throw new ServiceNotReadyError();
    const leave = this.#enter(`${remote.hostname} ${remote.port}`);
    const watcher = new Watcher({
      ...target,
      node: this.#options.node,
      onFault: this.#options.onFault,
      onEnd: () => {
        leave();
        this.#open.delete(watcher);
        if (this.#open.size === 0) this.#rest();
      },
    });
    this.#open.add(watcher);
    this.#keepAlive ??= this.#schedule();
    return await watcher.open();
  }

  /** Ends all watches cleanly and refuses further ones. */
  stop(): void {
    this.#stopped = true;
    this.#stopRegistration.cancel();
    this.#endAll();
  }

  #enter(remote: string): () => void {
    const streams = this.#streamsByRemote.get(remote) ?? 0;
    if (streams >= WATCH_STREAMS_MAX) {
      throw new WatchesExhaustedError(WATCH_STREAMS_MAX);
    }
    this.#streamsByRemote.set(remote, streams + 1);
    return () => {
      const left = (this.#streamsByRemote.get(remote) ?? 0) - 1;
      if (left > 0) this.#streamsByRemote.set(remote, left);
      else this.#streamsByRemote.delete(remote);
    };
  }

  #endAll(): void {
    for (const watcher of [...this.#open]) watcher.end();
  }

  #schedule(): Timer {
    return this.#options.clock.after(WATCH_KEEP_ALIVE_MS, () => {
      const frame = keepAliveFrame();
      for (const watcher of this.#open) watcher.offer(frame);
      this.#keepAlive = this.#schedule();
    });
  }

  #rest(): void {
    this.#keepAlive?.cancel();
    this.#keepAlive = null;
  }
}
