import { type Invocation, isOn } from './command-spec.ts';

/** What `--json` prints is the second value, whole; else the lines. */
export function say(invocation: Invocation, lines: string | readonly string[], value: unknown): void {
  if (isOn(invocation, 'json')) console.log(JSON.stringify(value, undefined, 2));
  else for (const line of [lines].flat()) console.log(line);
}

/** Columns as wide as their widest cell; the last one has no end. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A list, or the sentence that there is none. */
export function sayList<Item>(
  invocation: Invocation,
  items: readonly Item[],
  { headings, row, none }: { headings: readonly string[]; row: (item: Item) => readonly string[]; none: string },
): void {
  say(invocation, items.length === 0 ? none : table(headings, items.map(row)), items);
}

/** To the minute, in UTC: `2026-11-22 05:37`. */
export function describeTime(time: Date): string {
  return time.toISOString().slice(0, 16).replace('T', ' ');
}
