export const BENCH_QUESTIONS = ["write", "read", "load", "failover"] as const;
export type BenchQuestion = (typeof BENCH_QUESTIONS)[number];

export interface BenchRequest {
  readonly question: BenchQuestion;
  /** A running node; `null` to start `nodes`. */
  readonly given: { readonly url: string; readonly accessToken: string } | null;
  readonly nodes: number;
  readonly against: "local" | "etcd" | "none";
  readonly clients: readonly number[];
  readonly valueBytes: number;
  /** To load before reads, or by `load`; `null` for RECORDS. */
  readonly records: number | null;
  readonly measureMs: number;
  readonly rounds: number;
}
