import { CommandError } from './command-spec.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** Reads `90d`, `12h`, `30m`, `45s` or `2w`. @param flag for the error */
export function parseDuration(text: string, flag: string): number {
  const [, count, unit] = /^([0-9]{1,6})([smhdw])$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) {
    throw new CommandError(`--${flag} must be a length of time such as 90d, 12h or 30m, not '${text}'`);
  }
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

/** The largest unit that leaves no rest: `12h`. */
export function describeDuration(seconds: number): string {
  const [unit, length] = Object.entries(SECONDS).findLast(([, length]) => seconds % length === 0) ?? ['s', 1];
  return `${seconds / length}${unit}`;
}

/** Reads a length of time before now, or a date. @param flag for the error */
export function parseSince(text: string, flag: string): Date {
  if (!/^[0-9]{4}-/.test(text)) return new Date(Date.now() - parseDuration(text, flag) * 1000);
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new CommandError(`--${flag} must be a date or such as 1h, not '${text}'`);
  return date;
}
