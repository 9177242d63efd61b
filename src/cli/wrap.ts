/** What terminals have at least. */
export const COLUMNS = 80;

/** Breaks a line between words; what follows hangs below its first word. */
export function wrapped(line: string): readonly string[] {
  const lead = /^ */.exec(line)?.[0] ?? "";
  const number = /^ *\d+\. /.exec(line)?.[0];
  const hang = " ".repeat(number?.length ?? lead.length + 2);
  const lines: string[] = [];
  let current = lead;
  for (const word of line.slice(lead.length).split(" ")) {
    const isFirst = current.trim() === "";
    const next = isFirst ? current + word : `${current} ${word}`;
    if (isFirst || next.length <= COLUMNS) current = next;
    else {
      lines.push(current);
      current = hang + word;
    }
  }
  return [...lines, current];
}
