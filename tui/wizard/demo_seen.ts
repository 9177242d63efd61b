import type { DemoFinding, DemoPane, DemoWrites } from "../world.ts";

/** One look at a demo. */
export interface DemoSeen extends Pick<DemoPane, "canary" | "ending"> {
  readonly writes: DemoWrites;
  /** `null` before anybody looked at its disks. */
  readonly findings: readonly DemoFinding[] | null;
}

export function demoSeen(demo: DemoPane | null): DemoSeen | null {
  if (demo === null) return null;
  const { canary, ending } = demo;
  return { canary, ending, writes: demo.writes(), findings: demo.findings() };
}

/** Members that have the text on their disks; `null`: nobody looked yet. */
export function foundOn({ findings }: DemoSeen): readonly string[] | null {
  return findings?.filter(({ files }) => files.length > 0)
    .map(({ member }) => member) ?? null;
}
