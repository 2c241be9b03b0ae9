import type { Environment } from './environment.ts';
import { DATA_SETTING, KEEPING_SETTINGS, SERVE_SETTINGS, type Setting } from './settings.ts';

/** What the operator meant, checked. */
export interface ServeConfig extends KeepingConfig {
  readonly host: string;
  readonly port: number;
  /** Undefined keeps everything in memory. */
  readonly dataDirectory: string | undefined;
  readonly accountId: string;
  readonly region: string;
  readonly registryHost: string | undefined;
  readonly publicUrl: string | undefined;
  readonly createOnPush: boolean;
  /** 0 for never. */
  readonly garbageIntervalSeconds: number;
  readonly idleSeconds: number;
  readonly stopSeconds: number;
  readonly logLevel: LogLevel;
}

export interface KeepingConfig {
  readonly layerLeaseSeconds: number;
  readonly uploadIdleSeconds: number;
  readonly orphanSeconds: number;
}

export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Flags as they were typed: text, or true and false for a switch. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** The operator said something that cannot be, and is told what and how to say it. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

export function readServeConfig(flags: Flags, environment: Environment): ServeConfig {
  const given = settingsReader(SERVE_SETTINGS, flags, environment);
  const host = given.text('host');
  const isLoopback = isLoopbackHost(host);
  if (!isLoopback && !given.on('insecure-open')) {
    throw new ConfigError(
      `Every caller is admitted, so listening on ${host} would open the registry to the network. ` +
        'Listen on 127.0.0.1, or add --insecure-open (GANTRY_INSECURE_OPEN=true) where the network is trusted.',
    );
  }
  const ephemeral = given.on('ephemeral') ?? false;
  if (ephemeral && given.isGiven('data')) {
    throw new ConfigError('--ephemeral keeps everything in memory and --data in a folder; give one of them');
  }
  return {
    host,
    port: given.whole('port', 65535),
    dataDirectory: ephemeral ? undefined : given.text('data'),
    accountId: given.matching('account-id', /^[0-9]{12}$/, 'twelve digits'),
    region: regionOf(given, environment),
    registryHost: hostTemplateOf(given),
    publicUrl: publicUrlOf(given),
    createOnPush: given.on('create-on-push') ?? isLoopback,
    garbageIntervalSeconds: given.whole('garbage-interval-seconds'),
    ...keepingOf(given),
    idleSeconds: given.whole('idle-seconds'),
    stopSeconds: given.whole('stop-seconds'),
    logLevel: given.oneOf('log-level', LOG_LEVELS),
  };
}

/** For the commands that work on a data folder. */
export function readFolderConfig(flags: Flags, environment: Environment): KeepingConfig & { dataDirectory: string } {
  const given = settingsReader([DATA_SETTING, ...KEEPING_SETTINGS], flags, environment);
  return { dataDirectory: given.text('data'), ...keepingOf(given) };
}

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(host);
}

type Given = ReturnType<typeof settingsReader>;

function keepingOf(given: Given): KeepingConfig {
  return {
    layerLeaseSeconds: given.whole('layer-lease-seconds'),
    uploadIdleSeconds: given.whole('upload-idle-seconds'),
    orphanSeconds: given.whole('orphan-seconds'),
  };
}

function regionOf(given: Given, environment: Environment): string {
  if (given.isGiven('region')) return given.matching('region', /^[0-9a-z-]{2,25}$/, 'a region such as us-east-1');
  return environment.AWS_REGION ?? 'us-east-1';
}

function hostTemplateOf(given: Given): string | undefined {
  if (!given.isGiven('registry-host')) return undefined;
  const form = 'a host name such as {account}.dkr.ecr.{region}.example.com, with a port if it needs one';
  return given.matching('registry-host', /^[a-zA-Z0-9.{}-]+(:[0-9]{1,5})?$/, form);
}

function publicUrlOf(given: Given): string | undefined {
  if (!given.isGiven('public-url')) return undefined;
  const form = 'scheme and host, such as https://registry.example.com';
  const url = given.matching('public-url', /^https?:\/\/[^/?#@\s]+\/?$/, form);
  return url.replace(/\/$/, '');
}

function settingsReader(settings: readonly Setting[], flags: Flags, environment: Environment) {
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
    whole(flag: string, max = Number.MAX_SAFE_INTEGER) {
      const number = /^[0-9]{1,15}$/.test(text(flag)) ? Number(text(flag)) : Number.NaN;
      return number <= max ? number : refuse(flag, max === 65535 ? 'a port from 0 to 65535' : 'a whole number');
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
