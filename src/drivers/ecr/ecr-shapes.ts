import type { EncryptionConfiguration, ImageTagMutabilityExclusionFilter } from '@aws-sdk/client-ecr';
import type { RepositorySettings } from '../../core/migration/settings-place.ts';
import type { Encryption, ExclusionFilter } from '../../core/repositories/repository-records.ts';

export function exclusionFiltersOf(filters: readonly ImageTagMutabilityExclusionFilter[] = []): ExclusionFilter[] {
  return filters.map(({ filter = '' }) => ({ filterType: 'WILDCARD', filter }));
}

export function encryptionOf({ encryptionType, kmsKey }: Partial<EncryptionConfiguration> = {}): Encryption {
  return { encryptionType: encryptionType ?? 'AES256', ...(kmsKey && { kmsKey }) };
}

export function resourceTagsOf(
  tags: readonly { Key?: string | undefined; Value?: string | undefined }[],
): RepositorySettings['resourceTags'] {
  return tags.map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }));
}

export function tagsOf(resourceTags: RepositorySettings['resourceTags']): { Key: string; Value: string }[] {
  return resourceTags.map(({ key, value }) => ({ Key: key, Value: value }));
}
