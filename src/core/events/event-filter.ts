import { matchesWildcard } from '../repositories/tag-mutability.ts';
import type { Registry } from '../values/registry.ts';
import type { EventTarget } from './event-records.ts';
import { detailTypeOf } from './eventbridge-event.ts';
import type { RegistryEvent } from './registry-event.ts';

/** Which events a target is told of; what is empty asks for nothing in particular. */
export interface EventFilter {
  readonly detailTypes: readonly string[];
  /** Names in which `*` stands for any characters. */
  readonly repositories: readonly string[];
  readonly accounts: readonly string[];
}

const SEPARATOR = ',';

/** As a target keeps its filter. No part has a comma in it: names of repositories cannot, nor do detail types. */
export function filterSettings({ detailTypes, repositories, accounts }: EventFilter): Record<string, string> {
  return {
    ...(detailTypes.length > 0 && { detailTypes: detailTypes.join(SEPARATOR) }),
    ...(repositories.length > 0 && { repositories: repositories.join(SEPARATOR) }),
    ...(accounts.length > 0 && { accounts: accounts.join(SEPARATOR) }),
  };
}

export function filterOf({ settings }: Pick<EventTarget, 'settings'>): EventFilter {
  return {
    detailTypes: partsOf(settings.detailTypes),
    repositories: partsOf(settings.repositories),
    accounts: partsOf(settings.accounts),
  };
}

export function wantsEvent(target: Pick<EventTarget, 'settings'>, registry: Registry, event: RegistryEvent): boolean {
  const { detailTypes, repositories, accounts } = filterOf(target);
  return (
    isAsked(detailTypes, (type) => type === detailTypeOf(event)) &&
    isAsked(repositories, (pattern) => matchesWildcard(pattern, event.repositoryName)) &&
    isAsked(accounts, (accountId) => accountId === registry.accountId)
  );
}

function isAsked(parts: readonly string[], fits: (part: string) => boolean): boolean {
  return parts.length === 0 || parts.some(fits);
}

function partsOf(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(SEPARATOR);
}
