import type { Clock } from "../io/clock.ts";
import type { LatencyFigures } from "./latency.ts";
import { type Client, type LoadRun, runLoad } from "./load.ts";
import { median, medianFigures } from "./median.ts";
import type { BenchReport, BenchRow, Comparison } from "./report.ts";
import { type Costs, costsBetween, type ServerCounters } from "./servers.ts";

/** How hard and how long. */
export interface LoadShape {
  readonly clients: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** A run, and the processor time that asking took. */
export interface ContenderRun extends LoadRun {
  /** Of the asking process; `null` where nobody tells. */
  readonly clientCpuMs: number | null;
}

/** One way to ask one system the question of a bench. */
export interface Contender {
  /** Figures of ours are compared with those of each that is not. */
  readonly isOurs: boolean;
  readonly system: string;
  readonly question: string;
  run(shape: LoadShape): Promise<ContenderRun>;
  /** `null` for a system without members. */
  readonly counters: (() => Promise<ServerCounters>) | null;
}

export interface RoundsOptions {
  readonly contenders: readonly Contender[];
  readonly clients: readonly number[];
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What the asking process itself spends. */
export interface SelfMeter {
  readonly clock: Clock;
  /** `null` where nobody tells. */
  readonly cpuMs: () => Promise<number | null>;
}

/** `run` of a contender that is asked from this process. */
export function loadHere(
  self: SelfMeter,
  connect: (client: number) => Promise<Client>,
): (shape: LoadShape) => Promise<ContenderRun> {
  return async (shape) => {
    const before = await self.cpuMs();
    const run = await runLoad({ clock: self.clock, ...shape, connect });
    const after = await self.cpuMs();
    const isKnown = before !== null && after !== null;
    return { ...run, clientCpuMs: isKnown ? after - before : null };
  };
}

/**
 * Asks each contender in turn, then all again: what disturbs the machine for
 * longer than a run disturbs all of them.
 */
export async function measureRounds(
  options: RoundsOptions,
): Promise<Pick<BenchReport, "rows" | "comparisons">> {
  const rows: BenchRow[] = [];
  const comparisons: Comparison[] = [];
  for (const clients of options.clients) {
    const results = options.contenders.map((contender) => ({
      contender,
      runs: [] as Measured[],
    }));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const { contender, runs } of results) {
        runs.push(await measureOnce(contender, { ...options, clients }));
      }
    }
    rows.push(...results.map((result) => rowOf(result, clients)));
    comparisons.push(...comparisonsOf(results, clients));
  }
  return { rows, comparisons };
}

interface Measured {
  readonly figures: LatencyFigures;
  readonly costs: Costs | null;
  /** Processors that the asking process kept busy. */
  readonly clientCores: number | null;
}

interface Result {
  readonly contender: Contender;
  readonly runs: readonly Measured[];
}

async function measureOnce(
  contender: Contender,
  shape: LoadShape,
): Promise<Measured> {
  const before = await contender.counters?.() ?? null;
  const { figures, answered, clientCpuMs } = await contender.run(shape);
  const after = await contender.counters?.() ?? null;
  const shapeMs = shape.warmUpMs + shape.measureMs;
  return {
    figures,
    costs: before === null || after === null
      ? null
      : costsBetween(before, after, answered),
    clientCores: clientCpuMs === null ? null : clientCpuMs / shapeMs,
  };
}

function rowOf({ contender, runs }: Result, clients: number): BenchRow {
  const { question, system } = contender;
  const cost = (read: (costs: Costs) => number | null) =>
    medianOrNull(runs.map(({ costs }) => costs === null ? null : read(costs)));
  return {
    question,
    system,
    clients,
    figures: medianFigures(runs.map(({ figures }) => figures)),
    costs: {
      syncs: cost(({ syncs }) => syncs),
      logBytes: cost(({ logBytes }) => logBytes),
      peerBytes: cost(({ peerBytes }) => peerBytes),
      cpuMicroseconds: cost(({ cpuMicroseconds }) => cpuMicroseconds),
    },
    clientCores: medianOrNull(runs.map(({ clientCores }) => clientCores)),
  };
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

/** Each of ours beside each other one of its question, round by round. */
function comparisonsOf(
  results: readonly Result[],
  clients: number,
): Comparison[] {
  const ours = results.filter(({ contender }) => contender.isOurs);
  const theirs = results.filter(({ contender }) => !contender.isOurs);
  return ours.flatMap((our) =>
    theirs.filter(({ contender }) =>
      contender.question === our.contender.question
    ).map((their) => {
      const ratios = (read: (figures: LatencyFigures) => number) =>
        our.runs.map(({ figures }, round) =>
          read(figures) / read((their.runs[round] as Measured).figures)
        );
      const perSecond = ratios(({ perSecond }) => perSecond);
      return {
        ours: our.contender.system,
        theirs: their.contender.system,
        clients,
        perSecond: median(perSecond),
        perSecondOfRounds: perSecond,
        p99: median(ratios(({ p99Ms }) => p99Ms)),
      };
    })
  );
}
