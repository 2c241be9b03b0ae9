import type { Environment } from './environment.ts';
import type { Given } from './settings-reader.ts';

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(host);
}

/** @param flag `account-id`, or `account` of a command */
export function accountIdOf(given: Given, flag: string): string {
  return given.matching(flag, /^[0-9]{12}$/, 'twelve digits');
}

export function regionOf(given: Given, environment: Environment): string {
  if (given.isGiven('region')) return given.matching('region', /^[0-9a-z-]{2,25}$/, 'a region such as us-east-1');
  return environment.AWS_REGION ?? 'us-east-1';
}
