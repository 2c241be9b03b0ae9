import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { refuseFailure, resolveImages } from '../images/find-images.ts';
import type { Records } from '../metadata-store.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Registry } from '../values/registry.ts';
import { parseSignerProfileArn } from './signer-profile-names.ts';
import type { Signing } from './signing.ts';
import type { SigningRule } from './signing-records.ts';

export function createSigning({ metadata }: Pick<CoreDependencies, 'metadata'>): Signing {
  const { read } = metadata;
  return {
    async rules({ registry }) {
      return (await read.signing.rules(registry)) ?? refuseMissing(registry);
    },

    async putRules({ registry }, rules) {
      await metadata.transaction('registry', async (records) => {
        for (const rule of rules) await requireProfile(records, registry, rule);
        await records.signing.putRules(registry, rules);
      });
    },

    deleteRules: ({ registry }) =>
      metadata.transaction('registry', async ({ signing }) => {
        const rules = (await signing.rules(registry)) ?? refuseMissing(registry);
        await signing.deleteRules(registry);
        return rules;
      }),

    async imageStatuses(call, { repositoryName, imageId }) {
      const repository = await findRepository(read, call.registry, repositoryName);
      const [resolved] = await resolveImages(read, repository, [imageId]);
      if (!resolved) throw new Error('An image id was not resolved');
      if ('code' in resolved) return refuseFailure(call, repositoryName, resolved, 'imageId');
      const { id, digest } = resolved.image;
      return { digest, statuses: await read.signing.statusesOf(id) };
    },
  };
}

function refuseMissing({ accountId }: Registry): never {
  return refuse({ kind: 'signing-configuration-not-found', registryId: accountId });
}

/** "The signing profile must be in the same region"; it may be another account's (ECR user guide, "Managed signing"). */
async function requireProfile(records: Records, registry: Registry, { profileArn }: SigningRule): Promise<void> {
  const parsed = parseSignerProfileArn(profileArn);
  if (parsed && parsed.registry.region !== registry.region) {
    refuse({
      kind: 'signing-profile-unusable',
      reason: `The signing profile ${profileArn} is not in the region of the registry, ${registry.region}`,
    });
  }
  const profile = parsed && (await records.signerProfiles.find(profileArn));
  if (!profile) {
    const reason = `The signing profile ${profileArn} does not exist; gantry signer create makes one`;
    return refuse({ kind: 'signing-profile-unusable', reason });
  }
  if (!profile.retiredAt) return;
  refuse({ kind: 'signing-profile-unusable', reason: `The signing profile ${profileArn} was retired` });
}
