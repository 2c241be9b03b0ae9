import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { repositoryArn } from '../values/registry.ts';
import type { Call } from './caller.ts';
import type { Directory } from './directory.ts';
import { PolicyError, parsePolicy } from './policy/document.ts';
import { evaluate } from './policy/evaluate.ts';
import { principalContext } from './policy/principals.ts';

/** Policies of repositories and registries, stored verbatim. The repository ones refuse with repository-not-found. */
export interface Policies {
  /**
   * Refuses with invalid-parameter when the document is none, and, without `force`, when it would keep the caller from setting
   * another one.
   */
  putRepositoryPolicy(call: Call, input: { repositoryName: string; policyText: string; force: boolean }): Promise<void>;
  /** Refuses with repository-policy-not-found. */
  getRepositoryPolicy(call: Call, repositoryName: string): Promise<string>;
  /** Refuses with repository-policy-not-found. @returns what was deleted */
  deleteRepositoryPolicy(call: Call, repositoryName: string): Promise<string>;
  putRegistryPolicy(call: Call, policyText: string): Promise<void>;
  /** Refuses with registry-policy-not-found. */
  getRegistryPolicy(call: Call): Promise<string>;
  /** Refuses with registry-policy-not-found. @returns what was deleted */
  deleteRegistryPolicy(call: Call): Promise<string>;
}

export function createPolicies(
  { metadata }: Pick<CoreDependencies, 'metadata'>,
  directory: Pick<Directory, 'refresh'>,
): Policies {
  const noRepositoryPolicy = (call: Call, repositoryName: string): never =>
    refuse({ kind: 'repository-policy-not-found', repositoryName, registryId: call.registry.accountId });
  const noRegistryPolicy = (call: Call): never =>
    refuse({ kind: 'registry-policy-not-found', registryId: call.registry.accountId });

  return {
    async putRepositoryPolicy(call, { repositoryName, policyText, force }) {
      checkPolicyDocument(policyText, 'repository');
      if (!force) refuseLockOut(call, repositoryName, policyText);
      await metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, call.registry, repositoryName);
        await records.access.putRepositoryPolicy(repository.id, policyText);
      });
      await directory.refresh();
    },

    async getRepositoryPolicy(call, repositoryName) {
      const repository = await findRepository(metadata.read, call.registry, repositoryName);
      return (await metadata.read.access.repositoryPolicy(repository.id)) ?? noRepositoryPolicy(call, repositoryName);
    },

    async deleteRepositoryPolicy(call, repositoryName) {
      const text = await metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, call.registry, repositoryName);
        const present = await records.access.repositoryPolicy(repository.id);
        if (present !== undefined) await records.access.putRepositoryPolicy(repository.id, undefined);
        return present;
      });
      await directory.refresh();
      return text ?? noRepositoryPolicy(call, repositoryName);
    },

    async putRegistryPolicy(call, policyText) {
      checkPolicyDocument(policyText, 'registry');
      await metadata.transaction('registry', (records) => records.access.putRegistryPolicy(call.registry, policyText));
      await directory.refresh();
    },

    async getRegistryPolicy(call) {
      return (await metadata.read.access.registryPolicy(call.registry)) ?? noRegistryPolicy(call);
    },

    async deleteRegistryPolicy(call) {
      const text = await metadata.transaction('registry', async (records) => {
        const present = await records.access.registryPolicy(call.registry);
        if (present !== undefined) await records.access.putRegistryPolicy(call.registry, undefined);
        return present;
      });
      await directory.refresh();
      return text ?? noRegistryPolicy(call);
    },
  };
}

/** ECR's words say only that the document is invalid; what is wrong with it follows, for whoever has to mend it. */
export function checkPolicyDocument(text: string, kind: 'repository' | 'registry'): void {
  try {
    parsePolicy(text, kind);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const constraint = `Invalid ${kind} policy provided`;
    refuse({ kind: 'invalid-parameter', parameter: 'PolicyText', constraint, detail: error.message });
  }
}

/**
 * A policy that denies its own author the setting of another cannot be taken back by them (ECR API reference, SetRepositoryPolicy,
 * `force`). A Deny that depends on more than who asks for what, such as an address, may not be met by the next request.
 */
function refuseLockOut(call: Call, repositoryName: string, policyText: string): void {
  const { kind, accountId, arn, userId, userName, roleArn } = call.caller;
  if (kind === 'open') return;
  const principal = { kind, accountId, arn, userId, ...(userName && { userName }), ...(roleArn && { roleArn }) };
  const context = new Map(principalContext(principal));
  context.set('aws:resourceaccount', call.registry.accountId);
  context.set('aws:requestedregion', call.registry.region);
  const document = parsePolicy(policyText, 'repository');
  const { trace } = evaluate(
    {
      principal,
      action: 'ecr:SetRepositoryPolicy',
      resource: repositoryArn(call.registry, repositoryName),
      resourceAccountId: call.registry.accountId,
      context,
    },
    { identity: [], repository: { name: 'repository policy', document } },
  );
  const isCertain = (statement: number) =>
    document.statements[statement - 1]!.conditions.every(({ key }) => context.has(key.toLowerCase()));
  if (!trace.some(({ effect, matched, statement }) => effect === 'Deny' && matched && isCertain(statement))) return;
  const constraint = 'Invalid repository policy provided';
  const detail = 'it would keep you from setting another one; send force to set it all the same';
  refuse({ kind: 'invalid-parameter', parameter: 'PolicyText', constraint, detail });
}
