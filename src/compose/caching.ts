import type { ServeConfig } from '../config/config.ts';
import { openAuthorizer } from '../core/access/authorizer.ts';
import { type Caching, createCaching } from '../core/caching/caching.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { createSecrets } from '../core/secrets/secrets.ts';
import { ecrLogin } from '../drivers/upstreams/ecr-login.ts';
import { createUpstreamRegistry } from '../drivers/upstreams/upstream-registry.ts';
import type { Log } from '../log.ts';
import type { Access } from './access.ts';

/** The pull-through cache with connections to the registries behind it. */
export function openCaching(
  dependencies: CoreDependencies,
  access: Access,
  { auth, allowPrivateUpstreams }: Pick<ServeConfig, 'auth' | 'allowPrivateUpstreams'>,
  log: Log,
): Caching {
  return createCaching(dependencies, {
    authorizer: auth === 'enforced' ? access.authorizer : openAuthorizer,
    secrets: createSecrets(dependencies, access.box),
    connect: (target) => createUpstreamRegistry(target, { allowPrivate: allowPrivateUpstreams, now: dependencies.now }),
    logInAtEcr: ecrLogin,
    onUnrecorded: (error) => log.error({ err: error }, 'an import cannot be recorded'),
  });
}
