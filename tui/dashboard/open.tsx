import { useApp } from "ink";
import { useCallback, useEffect, useState } from "react";
import { openScreen, useEnd } from "../open_screen.tsx";
import type { TuiEnd, TuiWorld } from "../world.ts";
import { Dashboard } from "./dashboard.tsx";
import { followCluster } from "./follow_cluster.ts";
import { type Seen, seenFirst } from "./seen.ts";

export interface DashboardOptions {
  /** Between two looks. */
  readonly intervalMs: number;
}

/**
 * Shows the cluster until it is left.
 *
 * @throws {NodeError} When no member answers a first look, or one refuses it.
 */
export async function openDashboard(
  world: TuiWorld,
  options: DashboardOptions,
): Promise<TuiEnd> {
  const status = await world.client.getStatus();
  const first = seenFirst(status, world.clock.wallMs());
  return await openScreen(
    world,
    <LiveDashboard world={world} first={first} {...options} />,
  );
}

interface LiveDashboardProps extends DashboardOptions {
  readonly world: TuiWorld;
  readonly first: Seen;
}

function LiveDashboard({ world, first, intervalMs }: LiveDashboardProps) {
  const seen = useSeen({ world, first, intervalMs });
  const end = useEnd();
  const onEnd = useCallback(
    (exitCode: 0 | 130) => end({ exitCode, report: [] }),
    [end],
  );
  return <Dashboard seen={seen} intervalMs={intervalMs} onEnd={onEnd} />;
}

/** What is seen of the cluster now; ends the screen when it is refused. */
function useSeen({ world, first, intervalMs }: LiveDashboardProps): Seen {
  const [seen, setSeen] = useState(first);
  const { exit } = useApp();
  useEffect(() => {
    const { client, clock } = world;
    const stop = new AbortController();
    followCluster({
      client,
      clock,
      intervalMs,
      first,
      onSeen: setSeen,
      signal: stop.signal,
    }).catch((error: unknown) => {
      exit(error instanceof Error ? error : new Error("refused"));
    });
    return () => stop.abort();
  }, [world, first, intervalMs, exit]);
  return seen;
}
