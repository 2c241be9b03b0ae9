import type { Registry } from '../values/registry.ts';

/** How registries are named to clients, and which registry a client means by a host name. Pure text, no lookups. */
export interface RegistryAddresses {
  readonly defaultRegistry: Registry;
  /** `http` or `https`: how clients reach this server. */
  readonly scheme: 'http' | 'https';
  /** Host and port of a registry, as in `repositoryUri` before the first slash. */
  hostOf(registry: Registry): string;
  /** `HOST/NAME`, what a docker client pulls. */
  repositoryUri(registry: Registry, repositoryName: string): string;
  /** Scheme and host of the registry, as GetAuthorizationToken answers it. */
  proxyEndpoint(registry: Registry): string;
  /**
   * The registry that a Host header of ECR's own form names (`ACCOUNT.dkr.ecr.REGION.SUFFIX`,
   * `ACCOUNT.dkr-ecr.REGION.SUFFIX`, their -fips forms), or a part of one (`api.ecr.REGION.SUFFIX`, `ecr.REGION.SUFFIX`:
   * region alone). Undefined for any other host.
   */
  registryOfHost(host: string): { readonly accountId?: string; readonly region: string } | undefined;
  /** Whether an open server may answer under this Host: loopback, a configured name, or a form of ECR's. */
  isKnownHost(host: string): boolean;
}
