import type { DemoFinding, DemoPane } from "../../../tui/world.ts";

const SEARCHED = { files: 12, bytes: 1_048_576 };

/** A demo whose text is on the disks of some of three members. */
export class TrialDemo implements DemoPane {
  readonly canary = "canary-7f3a";
  readonly ending = "The demo ends with this screen.";
  found: readonly string[] = ["n1", "n2", "n3"];
  count = 12;

  writes() {
    return { count: this.count, failed: 0 };
  }

  findings(): readonly DemoFinding[] {
    return ["n1", "n2", "n3"].map((member) => ({
      member,
      files: this.found.includes(member)
        ? ["store.sqlite-wal", "raft/wal/0000000000000002-0000000000000005.seg"]
        : [],
      searched: SEARCHED,
    }));
  }
}
