import { sizeText } from "../base/size.ts";
import type { ClusterTask } from "../admin/client.ts";
import { shortened } from "./table.ts";
import { COLUMNS } from "./wrap.ts";

const BAR_COLUMNS = 20;
const NAME_COLUMNS_MAX = 16;

/** What each member is at, a bar each: for a terminal. */
export function barLines(tasks: readonly ClusterTask[]): readonly string[] {
  const names = tasks.map(({ member }) => shortened(member, NAME_COLUMNS_MAX));
  const width = Math.max(0, ...names.map(({ length }) => length));
  return tasks.map((task, position) => {
    const name = (names[position] ?? "").padEnd(width);
    const line = `${name} ${barOf(task)}${stateText(task)}`;
    return line.length <= COLUMNS ? line : `${line.slice(0, COLUMNS - 1)}…`;
  });
}

/** Of who has come to a halt the words are all there is to see. */
function barOf(task: ClusterTask): string {
  const { state, done, total } = task;
  if (state === "failed" || state === "silent") return "";
  if (total === 0n && state !== "done") return `[${" ".repeat(BAR_COLUMNS)}] `;
  const share = state === "done"
    ? 1
    : Math.min(1, Number(done) / Number(total));
  const bar = "#".repeat(Math.floor(share * BAR_COLUMNS))
    .padEnd(BAR_COLUMNS, "-");
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `[${bar}] ${percent} `;
}

/** The same on one line, for everything that is no terminal. */
export function taskLine(tasks: readonly ClusterTask[]): string {
  return tasks.map((task) => `${task.member}: ${stateText(task)}`).join("; ");
}

/** One task; u64 as strings. */
export function taskJson(task: ClusterTask) {
  const { member, state, done, total, bytes, elapsedMs, failure } = task;
  return {
    member,
    state,
    done: String(done),
    total: String(total),
    bytes: String(bytes),
    elapsedMs: String(elapsedMs),
    remainingMs: msText(remainingMs(task)),
    failure,
  };
}

/** As people say it: 40 s, 3 min, 2 h 5 min, 4 d 6 h. */
export function spanText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return twoUnits([hours, "h"], [minutes % 60, "min"]);
  return twoUnits([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

function stateText(task: ClusterTask): string {
  const { state, done, total, failure } = task;
  const seen = total === 0n ? `${done} records` : `${done}/${total} records`;
  switch (state) {
    case "running": {
      const left = remainingMs(task);
      const rest = left === null ? "" : `${spanText(left)} left, `;
      return `${rest}${seen}${speedText(task)}`;
    }
    case "paused":
      return `paused at ${seen}`;
    case "done":
      return `done, ${done} records in ${spanText(Number(task.elapsedMs))}`;
    case "failed":
      return `FAILED: ${failure}`;
    case "silent":
      return "NO ANSWER";
    default:
      return state;
  }
}

function speedText({ bytes, elapsedMs }: ClusterTask): string {
  if (bytes === 0n || elapsedMs < 1_000n) return "";
  return `, ${sizeText(Number(bytes) / Number(elapsedMs) * 1_000)}/s`;
}

/** If it goes on as it did; `null` where nothing tells it. */
function remainingMs(task: ClusterTask): number | null {
  const { state, done, total, elapsedMs } = task;
  if (state !== "running" || done === 0n || total < done) return null;
  return Number(elapsedMs) * Number(total - done) / Number(done);
}

function msText(ms: number | null): string | null {
  return ms === null ? null : String(Math.round(ms));
}

function twoUnits(
  [first, firstUnit]: readonly [number, string],
  [second, secondUnit]: readonly [number, string],
): string {
  const head = `${first} ${firstUnit}`;
  return second === 0 ? head : `${head} ${second} ${secondUnit}`;
}
