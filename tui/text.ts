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

/** What takes no column, two of them, or means something to a terminal. */
const NOT_ONE_COLUMN =
  /[\p{C}\p{M}\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/gu;

/** `text` with a `?` for each character that is not one column wide. */
export function oneColumnEach(text: string): string {
  return text.replace(NOT_ONE_COLUMN, "?");
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
