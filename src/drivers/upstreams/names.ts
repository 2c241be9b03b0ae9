import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { isTag } from '../../core/values/image-reference.ts';
import { Fault } from './fault.ts';

/**
 * The path of something in a repository, below /v2/. Wider than the OCI specification's names, which not every registry keeps
 * to, but nothing that could leave the repository or become a query.
 */
export function pathOf(repository: string, rest: string): string {
  if (repository.length > NAME_LENGTH_MAX || !NAME.test(repository)) {
    throw new Fault('invalid', `'${repository.slice(0, NAME_LENGTH_MAX)}' is no repository name`);
  }
  return `${repository}/${rest}`;
}

const NAME_LENGTH_MAX = 512;
const NAME = /^[a-zA-Z0-9_-][a-zA-Z0-9._-]*(?:\/[a-zA-Z0-9_-][a-zA-Z0-9._-]*)*$/;

/** @throws Fault for a reference that is neither tag nor digest; @returns the digest if it is one */
export function digestOfReference(reference: string): Digest | undefined {
  const digest = parseDigest(reference);
  if (digest === undefined && !isTag(reference)) throw new Fault('invalid', `'${reference.slice(0, 128)}' is no tag`);
  return digest;
}

export function pullScopes(repository: string): string[] {
  return [`repository:${repository}:pull`];
}

/** @param mountFrom another repository that is read */
export function pushScopes(repository: string, mountFrom?: string): string[] {
  const from = mountFrom === undefined || mountFrom === repository ? [] : pullScopes(mountFrom);
  return [`repository:${repository}:pull,push`, ...from];
}
