/** Farther than this, two words have nothing to do with each other. */
const DISTANCE_MAX = 3;

/** The choice closest to what was typed; `null` when none is close. */
export function closest(
  typed: string,
  choices: readonly string[],
): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(DISTANCE_MAX, Math.ceil(typed.length / 2)) + 1;
  for (const choice of choices) {
    const distance = editDistance(typed.toLowerCase(), choice.toLowerCase());
    // People seldom miss the first letter.
    const isTie = distance === bestDistance && choice[0] === typed[0];
    if (distance < bestDistance || (isTie && best?.[0] !== typed[0])) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein: insertions, removals and replacements from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const removed = (previous[j] ?? 0) + 1;
      const inserted = (row[j - 1] ?? 0) + 1;
      row.push(Math.min(replaced, removed, inserted));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
