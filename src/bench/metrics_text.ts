/**
 * The sum of all series of `name` in a Prometheus page; `null` when it has
 * none. Source: Prometheus text format 0.0.4.
 */
export function metricSum(page: string, name: string): number | null {
  let sum: number | null = null;
  for (const line of page.split("\n")) {
    if (!line.startsWith(name)) continue;
    const [, value] = /^(?:\{.*\})? +(\S+)/.exec(line.slice(name.length)) ?? [];
    if (value === undefined) continue;
    sum = (sum ?? 0) + Number(value);
  }
  return sum;
}
