/** `text` in exactly `width` characters: padded, or cut with `~` at its end. */
export function fitted(
  text: string,
  width: number,
  align: "left" | "right" = "left",
): string {
  const cells = [...text];
  if (cells.length > width) {
    return width <= 0 ? "" : `${cells.slice(0, width - 1).join("")}~`;
  }
  const blank = " ".repeat(width - cells.length);
  return align === "left" ? `${text}${blank}` : `${blank}${text}`;
}

export function widthOf(text: string): number {
  return [...text].length;
}

/** Lines of at most `width`, broken at blanks; a longer word is broken too. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (let word of paragraph.split(" ")) {
      if (line !== "" && widthOf(line) + 1 + widthOf(word) <= width) {
        line = `${line} ${word}`;
        continue;
      }
      if (line !== "") lines.push(line);
      while (widthOf(word) > width) {
        lines.push([...word].slice(0, width).join(""));
        word = [...word].slice(width).join("");
      }
      line = word;
    }
    lines.push(line);
  }
  return lines;
}
