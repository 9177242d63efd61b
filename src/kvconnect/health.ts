import type { MetricRegistry } from "../base/metrics.ts";
import { textReply } from "./replies.ts";

/** Alive: the process answers. */
export function healthReply(): Response {
  return textReply(200, "ok\n");
}

/** Ready: clients of this node are served. */
export function readyReply(ready: boolean): Response {
  return ready ? textReply(200, "ready\n") : textReply(503, "not ready\n");
}

/** All metrics as Prometheus text. */
export function metricsReply(metrics: MetricRegistry): Response {
  return new Response(metrics.render(), {
    headers: [["content-type", "text/plain; version=0.0.4; charset=utf-8"]],
  });
}
