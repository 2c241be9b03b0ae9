import type { Environment } from './environment.ts';
import type { Setting } from './setting.ts';

/** Flags as they were typed: text, or true and false for a switch. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** The operator said something that cannot be, and is told what and how to say it. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** Tells what each setting is: the flag, else the variable, else the default. Its methods throw ConfigError. */
export function settingsReader(settings: readonly Setting[], flags: Flags, environment: Environment) {
  const settingOf = (flag: string) => {
    const setting = settings.find((one) => one.flag === flag);
    if (!setting) throw new Error(`There is no setting ${flag}`);
    return setting;
  };
  const value = (flag: string) => flags[flag] ?? environment[settingOf(flag).variable] ?? settingOf(flag).default;
  const refuse = (flag: string, wanted: string): never => {
    const { variable } = settingOf(flag);
    throw new ConfigError(`--${flag} (${variable}) must be ${wanted}, not '${value(flag)}'`);
  };
  const text = (flag: string): string => {
    const given = value(flag);
    return typeof given === 'string' && given !== '' ? given : refuse(flag, 'given');
  };
  return {
    text,
    isGiven: (flag: string) => (flags[flag] ?? environment[settingOf(flag).variable]) !== undefined,
    matching: (flag: string, pattern: RegExp, wanted: string) =>
      pattern.test(text(flag)) ? text(flag) : refuse(flag, wanted),
    oneOf: <T extends string>(flag: string, choices: readonly T[]): T =>
      choices.find((choice) => choice === text(flag)) ?? refuse(flag, `one of ${choices.join(', ')}`),
    /** Of a setting that repeats; none when nobody said. */
    list: (flag: string): string[] =>
      value(flag) === undefined
        ? []
        : text(flag)
            .split(',')
            .map((one) => one.trim())
            .filter((one) => one !== ''),
    whole(flag: string, max = Number.MAX_SAFE_INTEGER) {
      const number = /^[0-9]{1,15}$/.test(text(flag)) ? Number(text(flag)) : Number.NaN;
      return number <= max ? number : refuse(flag, max === 65535 ? 'a port from 0 to 65535' : 'a whole number');
    },
    positive(flag: string): number {
      return this.whole(flag) > 0 ? this.whole(flag) : refuse(flag, 'a whole number above 0');
    },
    /** Undefined when nobody said. */
    on(flag: string): boolean | undefined {
      const given = value(flag);
      if (given === undefined || typeof given === 'boolean') return given;
      if (['true', '1', 'yes', 'on'].includes(given.toLowerCase())) return true;
      if (['false', '0', 'no', 'off'].includes(given.toLowerCase())) return false;
      return refuse(flag, 'true or false');
    },
  };
}

export type Given = ReturnType<typeof settingsReader>;
