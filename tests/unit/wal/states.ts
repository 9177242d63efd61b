import { LogState } from "../../../src/wal/log_state.ts";
import {
  type SegmentHeader,
  WAL_FORMAT,
} from "../../../src/wal/segment_header.ts";
import { metadataAt } from "../../sim/wal_model.ts";

/** The header of a log founded at `index`. */
export function foundedHeader(index: number, term: number): SegmentHeader {
  return {
    format: WAL_FORMAT,
    clusterId: new Uint8Array(16),
    nodeName: "n1",
    sequence: 1,
    nextIndex: index + 1,
    lastTerm: term,
    hardState: { term, vote: 0, commit: index },
    floor: { index, term },
    mark: { install: false, metadata: metadataAt(index, term) },
  };
}

/** The state of a log founded at `index`. */
export function foundedState(index: number, term: number): LogState {
  return LogState.at(foundedHeader(index, term));
}
