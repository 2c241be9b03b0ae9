import type { RepositoryCreationTemplate } from '@aws-sdk/client-ecr';
import type {
  CreationReason,
  CreationTemplate,
  CreationTemplateSettings,
} from '../../../core/repositories/creation-template-records.ts';
import { invalidParameter } from '../errors.ts';
import type { Input } from '../operation.ts';
import { resourceTagsOf, resourceTagsView } from '../repositories/resource-tags.ts';

/** What an operation says of a template; what it leaves out is not there. */
export function templateSettingsIn(
  input: Input<'CreateRepositoryCreationTemplate' | 'UpdateRepositoryCreationTemplate'>,
): Partial<CreationTemplateSettings> {
  const { encryptionConfiguration: encryption, imageTagMutabilityExclusionFilters: exclusionFilters } = input;
  const { description, resourceTags, imageTagMutability, repositoryPolicy, lifecyclePolicy, customRoleArn } = input;
  const { appliedFor } = input;
  return {
    ...(appliedFor && { appliedFor: creationReasonsOf(appliedFor) }),
    ...(description !== undefined && { description }),
    ...(encryption && { encryption: encryptionOf(encryption) }),
    ...(resourceTags && { resourceTags: resourceTagsOf(resourceTags) }),
    ...(imageTagMutability && { imageTagMutability }),
    ...(exclusionFilters && { exclusionFilters }),
    ...(repositoryPolicy !== undefined && { repositoryPolicy }),
    ...(lifecyclePolicy !== undefined && { lifecyclePolicy }),
    ...(customRoleArn !== undefined && { customRoleArn }),
  };
}

export function templateView(template: CreationTemplate): RepositoryCreationTemplate {
  const { encryption, resourceTags, exclusionFilters } = template;
  return {
    prefix: template.prefix,
    description: template.description,
    encryptionConfiguration: encryption ?? { encryptionType: 'AES256' },
    resourceTags: resourceTags && resourceTagsView(resourceTags),
    imageTagMutability: template.imageTagMutability ?? 'MUTABLE',
    imageTagMutabilityExclusionFilters: exclusionFilters && [...exclusionFilters],
    repositoryPolicy: template.repositoryPolicy,
    lifecyclePolicy: template.lifecyclePolicy,
    appliedFor: [...template.appliedFor],
    customRoleArn: template.customRoleArn,
    createdAt: template.createdAt,
    updatedAt: template.updatedAt,
  };
}

function creationReasonsOf(appliedFor: readonly CreationReason[]): CreationReason[] {
  if (appliedFor.length > 0) return [...new Set(appliedFor)];
  throw invalidParameter('appliedFor', 'Member must have length greater than or equal to 1');
}

/** A key may be given as an empty text, which is none. */
function encryptionOf({ encryptionType, kmsKey }: NonNullable<CreationTemplateSettings['encryption']>) {
  return { encryptionType, ...(kmsKey && { kmsKey }) };
}
