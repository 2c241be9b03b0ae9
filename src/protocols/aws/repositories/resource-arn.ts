import { parseRepositoryArn, type Registry } from '../../../core/values/registry.ts';
import { invalidParameter } from '../errors.ts';

/** What a `resourceArn` speaks of. Only repositories can be tagged; any other ARN is an InvalidParameterException. */
export function repositoryOfArn(resourceArn: string): { registry: Registry; repositoryName: string } {
  const parsed = parseRepositoryArn(resourceArn);
  if (parsed === undefined) throw invalidParameter('resourceArn', 'Invalid ARN');
  return parsed;
}
