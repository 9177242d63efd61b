import { barText } from "../parts/bar_text.ts";
import type { Column } from "../parts/columns.ts";
import type { TextLine } from "../parts/line.tsx";
import { paneLines } from "../parts/pane.tsx";
import { tableLines } from "../parts/table.tsx";
import { AGE_LENGTH_MAX } from "./amount.ts";
import { KEY_ID_DIGITS_MAX, type KeyRow, keyRows } from "./key_rows.ts";
import type { PaneProps } from "./pane_props.ts";
import { latestEncryption, type Seen } from "./seen.ts";
import { workOf } from "./work.ts";

// As wide as they get: columns must not come and go with time, or by chance.
const COLUMNS: readonly Column<KeyRow>[] = [
  {
    title: "key",
    priority: 0,
    align: "right",
    cell: ({ id }) => id.padStart(KEY_ID_DIGITS_MAX),
  },
  { title: "purpose", priority: 0, cell: ({ purpose }) => purpose },
  {
    title: "state",
    priority: 0,
    cell: ({ state }) => ({
      text: state,
      tone: state === "active" ? "good" : "plain",
    }),
  },
  {
    title: "age",
    priority: 1,
    align: "right",
    cell: ({ age }) => age.padStart(AGE_LENGTH_MAX),
  },
  {
    title: "sealed",
    priority: 2,
    align: "right",
    cell: ({ seals }) => seals.padStart(6),
  },
  {
    title: "writers",
    priority: 4,
    align: "right",
    cell: ({ writers }) => writers,
  },
  {
    title: "wrapped under",
    priority: 3,
    widthMax: 40,
    cell: ({ kek }) => kek,
  },
];

/** What is under way with encryption, and the data keys. */
export function keysPane(props: PaneProps): readonly TextLine[] {
  const { seen, width, height, chosen, isUnicode } = props;
  const rows = keyRows({
    nowMs: seen.nowMs,
    encryption: seen.encryption,
    vitals: seen.history.last,
  });
  const work = workOf(seen);
  const retired = latestEncryption(seen.encryption)?.retired.length ?? 0;
  const labels = Math.max(0, ...work.map(({ action }) => action.length));
  const bars = work.map(({ action, share, text }) =>
    barText({
      ratio: share,
      label: action.padEnd(labels),
      note: text,
      width: width - 4,
      isUnicode,
    })
  );
  const table = rows.length === 0 ? [absentText(seen)] : tableLines({
    columns: COLUMNS,
    rows,
    width: width - 4,
    height: height - 2 - work.length,
    chosen,
  });
  return paneLines({
    ...props,
    title: "Keys",
    note: noteText(rows.length, retired),
    lines: [...bars, ...table],
  });
}

/** Not all rows may have room. */
function noteText(count: number, retired: number): string {
  const keys = count === 1 ? "1 key" : `${count} keys`;
  return retired === 0 ? keys : `${keys}, ${retired} retired`;
}

function absentText({ encryption }: Seen): string {
  return latestEncryption(encryption) === null
    ? "not told yet"
    : "no keys yet: `sealkv encryption bootstrap` draws them";
}
