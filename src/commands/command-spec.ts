import type { Environment } from '../config/environment.ts';
import type { Setting } from '../config/setting.ts';
import type { Flags } from '../config/settings-reader.ts';

/** A command as the command line shows it. What runs it is loaded only when it is called. */
export interface CommandSpec {
  /** `serve`, `user create`, or `events target add`. */
  readonly words: string;
  readonly description: string;
  readonly operands?: readonly Operand[];
  readonly settings: readonly Setting[];
  readonly options?: readonly CommandOption[];
  load(): Promise<RunCommand>;
}

/** A value that is given without a flag; it must be, unless it is optional, which only the last can be. */
export interface Operand {
  readonly name: string;
  readonly description: string;
  readonly isOptional?: boolean;
  /** One or more of them, which only the last can be. */
  readonly repeats?: boolean;
}

/** What a command is told for this one time: no variable stands for it. */
export interface CommandOption {
  readonly flag: string;
  /** Absent for a switch. */
  readonly placeholder?: string;
  readonly description: string;
  readonly isRequired?: boolean;
  /** Given several times, the values are joined by commas. */
  readonly repeats?: boolean;
}

export type RunCommand = (invocation: Invocation) => Promise<void>;

export interface Invocation {
  readonly flags: Flags;
  /** In the order of the specification. */
  readonly operands: readonly string[];
  readonly environment: Environment;
}

/** What was asked for cannot be done; the message says why in words, and no more is shown. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

/** The text of an option that takes one; undefined when it was not given. */
export function optionText({ flags }: Invocation, flag: string): string | undefined {
  const value = flags[flag];
  return typeof value === 'string' ? value : undefined;
}

/** The parts of an option that takes several. */
export function optionTexts(invocation: Invocation, flag: string): string[] {
  const parts = optionText(invocation, flag)?.split(',') ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

export function isOn({ flags }: Invocation, flag: string): boolean {
  return flags[flag] === true;
}
