/**
 * Whether this member, as leader, makes entries: while the gate is closed what
 * would be proposed waits. Only the marker of the raft cutover passes.
 */
export class ProposalGate {
  #closedMs: number | null = null;

  get isClosed(): boolean {
    return this.#closedMs !== null;
  }

  /** Monotonic ms of its closing; `null` while it is open. */
  get closedMs(): number | null {
    return this.#closedMs;
  }

  close(nowMs: number): void {
    this.#closedMs ??= nowMs;
  }

  open(): void {
    this.#closedMs = null;
  }
}
