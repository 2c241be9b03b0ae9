import { putSecret } from '../support/caching-world.ts';
import type { Scene } from './world.ts';

const account = '000000000000';

/** A role cannot be taken from here: that is known without asking Amazon. */
export const caching: Scene = async ({ ecr, server }) => {
  const credentialArn = await putSecret(server.data, 'members', 'AKIDEXAMPLE', 'secret');
  const customRoleArn = `arn:aws:iam::${account}:role/pull`;
  for (const ecrRepositoryPrefix of ['members-one', 'members-two']) {
    await ecr.createPullThroughCacheRule({
      ecrRepositoryPrefix,
      upstreamRegistryUrl: '123456789012.dkr.ecr.us-east-1.amazonaws.com',
      upstreamRegistry: 'ecr',
      upstreamRepositoryPrefix: 'theirs',
      credentialArn,
      customRoleArn,
    });
  }
  await ecr.describePullThroughCacheRules({ maxResults: 1 });
  await ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix: 'members-one' });
  await ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix: 'members-one', credentialArn, customRoleArn });
  for (const ecrRepositoryPrefix of ['members-one', 'members-two']) {
    await ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix });
  }
};
