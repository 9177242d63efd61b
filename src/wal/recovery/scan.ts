import { equalBytes, toHex } from "../../base/bytes.ts";
import type { Disk, DiskFile } from "../../io/disk.ts";
import type { Anchor } from "../anchor.ts";
import {
  type DamagePlace,
  WalDamagedError,
  WalForeignError,
  WalFormatUnsupportedError,
  WalInconsistentError,
  WalSegmentMissingError,
} from "../errors.ts";
import { type FrameRead, FrameReader } from "../frame_reader.ts";
import { LogView } from "../log_view.ts";
import { decodeRecords, type WalRecord } from "../record.ts";
import { type ChainLink, type Segment } from "../segment.ts";
import {
  CLUSTER_ID_BYTES,
  decodeSegmentHeader,
  type SegmentHeader,
} from "../segment_header.ts";
import { classifyTail, type TornTail } from "./tail.ts";

/** What is to be read and what is expected of it. */
interface ScanOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly nodeName: string;
  readonly anchor: Anchor | null;
}

/** What the segments hold; `view` has no entries in memory. */
export interface ScannedLog {
  readonly view: LogView;
  readonly walId: number;
  readonly clusterId: Uint8Array;
  readonly link: ChainLink;
  /** Where the next frame goes, in the last segment. */
  readonly offset: number;
  readonly torn: TornTail | null;
}

/**
 * Reads the segments in order and checks every frame, its chain and its
 * meaning. Changes nothing on disk.
 *
 * @throws {WalDamagedError} For a bad frame that is no torn tail.
 * @throws {WalSegmentMissingError} @throws {WalForeignError}
 * @throws {WalFormatUnsupportedError} @throws {WalInconsistentError}
 */
export async function scanLog(
  segments: readonly Segment[],
  options: ScanOptions,
): Promise<ScannedLog> {
  const scan = new LogScan(options);
  let previous: Segment | null = null;
  for (const segment of segments) {
    if (previous !== null && segment.sequence !== previous.sequence + 1) {
      throw new WalSegmentMissingError(options.dir, previous.sequence + 1);
    }
    const isLast = segment === segments[segments.length - 1];
    await scan.segment(segment, isLast);
    previous = segment;
  }
  return scan.finish(segments);
}

class LogScan {
  readonly #options: ScanOptions;
  #view: LogView | null = null;
  #walId = 0;
  #clusterId: Uint8Array = new Uint8Array(CLUSTER_ID_BYTES);
  #link: ChainLink = { frameSeq: 0, frameCrc: 0 };
  #offset = 0;
  #torn: TornTail | null = null;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  async segment(segment: Segment, isLast: boolean): Promise<void> {
    const { disk, dir } = this.#options;
    const file = await disk.open(`${dir}/${segment.name}`, "existing");
    try {
      const size = await file.size();
      const reader = new FrameReader(file, size);
      for (;;) {
        const read = await reader.next();
        if (read.kind !== "frame") {
          await this.#end(segment, file, size, read, isLast);
          return;
        }
        this.#frame(segment, read);
      }
    } finally {
      await file.close();
    }
  }

  finish(segments: readonly Segment[]): ScannedLog {
    const { dir, anchor } = this.#options;
    const view = this.#view;
    const last = segments[segments.length - 1];
    if (view === null || last === undefined) {
      throw new WalSegmentMissingError(dir, anchor?.segment ?? 1);
    }
    if (anchor !== null) this.#checkAnchor(anchor, last);
    const { state } = view;
    const { floor } = state;
    if (state.knownFrom > floor.index) {
      const oldest = segments[0] as Segment;
      throw new WalSegmentMissingError(dir, oldest.sequence - 1);
    }
    const place = this.#place(last.name, this.#offset);
    refuseBroken(view.acceptFloor(floor), place);
    return {
      view,
      walId: this.#walId,
      clusterId: this.#clusterId,
      link: this.#link,
      offset: this.#offset,
      torn: this.#torn,
    };
  }

  #frame(segment: Segment, read: FrameRead & { kind: "frame" }): void {
    const { header, offset } = read;
    const place = this.#place(segment.name, offset);
    const opens = offset === 0;
    const first = this.#view === null;
    if (first) {
      this.#walId = header.walId;
      this.#link = {
        frameSeq: header.frameSeq - 1,
        frameCrc: header.previousCrc,
      };
    }
    const misfit = this.#misfit(header);
    if (misfit !== null) throw new WalDamagedError(place, misfit);
    const records = decodeRecords(read.payload);
    if (records === null) {
      throw new WalDamagedError(place, "its sub-records are malformed");
    }
    this.#records(segment, place, opens, records);
    this.#link = { frameSeq: header.frameSeq, frameCrc: header.headerCrc };
    this.#offset = read.until;
  }

  /** What is wrong with a whole frame at this place in the chain. */
  #misfit(header: (FrameRead & { kind: "frame" })["header"]): string | null {
    const { frameSeq, frameCrc } = this.#link;
    if (header.walId !== this.#walId) return "it is a frame of another log";
    if (header.frameSeq !== frameSeq + 1) {
      return `it holds frame ${header.frameSeq}`;
    }
    if (header.previousCrc !== frameCrc) {
      return "it does not continue the frame before it";
    }
    if (header.durableSeq >= header.frameSeq) {
      return "it claims to be durable before it was written";
    }
    return null;
  }

  #records(
    segment: Segment,
    place: DamagePlace,
    opens: boolean,
    records: readonly WalRecord[],
  ): void {
    for (const [i, record] of records.entries()) {
      if ((opens && i === 0) !== (record.kind === "segment-header")) {
        throw new WalDamagedError(place, "a segment header is out of place");
      }
      if (record.kind === "segment-header") {
        this.#segmentHeader(segment, place, record.body);
      } else {
        refuseBroken(acceptRecord(this.#known(place), record), place);
      }
    }
    const view = this.#known(place);
    refuseBroken(view.acceptFrameEnd(), place);
    view.placeFrame(segment.sequence, place.offset);
    // The entries are views of what was read; those needed are read again.
    view.cache.bound(0);
  }

  #segmentHeader(
    segment: Segment,
    place: DamagePlace,
    body: Uint8Array,
  ): void {
    const header = decodeSegmentHeader(body);
    if (header === null) {
      throw new WalDamagedError(place, "its segment header is malformed");
    }
    if (header.sequence === null) {
      throw new WalFormatUnsupportedError(segment.name, header.format);
    }
    const { nodeName } = this.#options;
    if (header.nodeName !== nodeName) {
      const { name } = segment;
      throw new WalForeignError(name, "node name", nodeName, header.nodeName);
    }
    this.#adoptCluster(segment, header.clusterId);
    if (
      header.sequence !== segment.sequence ||
      header.nextIndex !== segment.nextIndex
    ) {
      throw new WalDamagedError(place, "its header is of another segment");
    }
    if (this.#view === null) this.#view = new LogView(header);
    else refuseBroken(continues(this.#view, header), place);
    this.#view.places.note(segment.sequence, 0, header.nextIndex);
  }

  /** Segments written before the id was known carry zeros. */
  #adoptCluster(segment: Segment, found: Uint8Array): void {
    if (found.every((byte) => byte === 0)) return;
    const known = this.#clusterId;
    if (known.some((byte) => byte !== 0) && !equalBytes(known, found)) {
      const [name, field] = [segment.name, "cluster id"];
      throw new WalForeignError(name, field, toHex(known), toHex(found));
    }
    this.#clusterId = found;
  }

  async #end(
    segment: Segment,
    file: DiskFile,
    size: number,
    read: FrameRead & { kind: "end" | "bad" },
    isLast: boolean,
  ): Promise<void> {
    const place = this.#place(segment.name, read.offset);
    if (read.offset === 0) {
      throw new WalDamagedError(place, "the segment has no header");
    }
    if (!isLast) {
      if (read.kind === "end") return;
      throw new WalDamagedError(place, "it is no whole frame");
    }
    this.#torn = await classifyTail(file, size, read, {
      place,
      walId: this.#walId,
      link: this.#link,
      anchor: this.#options.anchor,
    });
  }

  #checkAnchor(anchor: Anchor, last: Segment): void {
    const { dir } = this.#options;
    if (anchor.walId !== this.#walId) {
      const [expected, found] = [String(this.#walId), String(anchor.walId)];
      throw new WalForeignError("anchor", "log id", expected, found);
    }
    if (anchor.segment > last.sequence) {
      throw new WalSegmentMissingError(dir, last.sequence + 1);
    }
    if (anchor.frameSeq > this.#link.frameSeq) {
      const place = this.#place(last.name, this.#offset);
      const finding = `frame ${anchor.frameSeq} was durable and is gone`;
      throw new WalDamagedError(place, finding);
    }
  }

  #known(place: DamagePlace): LogView {
    if (this.#view !== null) return this.#view;
    throw new WalDamagedError(place, "the segment has no header");
  }

  #place(segment: string, offset: number): DamagePlace {
    const expectedSeq = this.#view === null ? null : this.#link.frameSeq + 1;
    return { segment, offset, expectedSeq };
  }
}

/** A later segment's header repeats what the log adds up to. */
function continues(view: LogView, header: SegmentHeader): string | null {
  const { state } = view;
  const { hardState } = state;
  const same = header.nextIndex === state.lastIndex + 1 &&
    header.hardState.term === hardState.term &&
    header.hardState.vote === hardState.vote &&
    header.hardState.commit === hardState.commit &&
    header.floor.index === state.floor.index &&
    header.mark.metadata.index === state.mark.index;
  return same ? null : "its header does not repeat the segments before it";
}

function acceptRecord(view: LogView, record: WalRecord): string | null {
  switch (record.kind) {
    case "entry":
      return view.acceptEntry(record.entry);
    case "hard-state":
      return view.acceptHardState(record.hardState);
    case "snapshot-mark":
      return view.acceptMark(record.mark);
    case "floor":
      return view.acceptFloor(record.floor);
    case "segment-header":
    case "clean-shutdown":
      return null;
  }
}

function refuseBroken(broken: string | null, place: DamagePlace): void {
  if (broken !== null) throw new WalInconsistentError(place, broken);
}
