import type { ResourceTag } from '../../../core/repositories/repository-records.ts';

/** A tag's members are the only ones of the API that begin with a capital. */
export interface WireTag {
  readonly Key: string;
  readonly Value: string;
}

export function resourceTagsOf(tags: readonly WireTag[]): ResourceTag[] {
  return tags.map(({ Key, Value }) => ({ key: Key, value: Value }));
}

export function resourceTagsView(tags: readonly ResourceTag[]): WireTag[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }));
}
