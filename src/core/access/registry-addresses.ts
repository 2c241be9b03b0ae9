import { isRegion, isSameRegistry, type Registry } from '../values/registry.ts';

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

export interface AddressSettings {
  readonly defaultRegistry: Registry;
  /** The port the server listens on; asked for only once it does. */
  readonly port: () => number;
  /** Host (and port) of a registry with `{account}` and `{region}` in it. */
  readonly hostTemplate?: string;
  /** Scheme and host under which clients reach the default registry, for example `https://registry.example.com`. */
  readonly publicUrl?: string;
  /** Whether the server itself speaks TLS. */
  readonly isSecure?: boolean;
}

export function createRegistryAddresses(settings: AddressSettings): RegistryAddresses {
  const { defaultRegistry, hostTemplate } = settings;
  const publicUrl = settings.publicUrl === undefined ? undefined : new URL(settings.publicUrl);
  const isSecure = publicUrl === undefined ? settings.isSecure : publicUrl.protocol === 'https:';
  const scheme = isSecure ? 'https' : 'http';
  const templateHost = hostTemplate === undefined ? undefined : templateMatcher(hostTemplate);
  const suffixes = [...AWS_SUFFIXES, 'localhost', ...(publicUrl ? [publicUrl.hostname] : [])];

  const baseHost = () => publicUrl?.host ?? `localhost:${settings.port()}`;
  const hostOf = (registry: Registry) => {
    const { accountId, region } = registry;
    if (hostTemplate) return hostTemplate.replaceAll('{account}', accountId).replaceAll('{region}', region);
    return isSameRegistry(registry, defaultRegistry) ? baseHost() : `${accountId}.dkr.ecr.${region}.${baseHost()}`;
  };

  const registryOfHost: RegistryAddresses['registryOfHost'] = (host) => {
    const name = withoutPort(host);
    const templated = templateHost?.(name);
    if (templated) return { accountId: defaultRegistry.accountId, region: defaultRegistry.region, ...templated };
    const match = ECR_HOST.exec(name);
    if (!match) return undefined;
    const [, accountId, region = '', suffix = ''] = match;
    if (!suffixes.includes(suffix) || !isRegion(region)) return undefined;
    return accountId === undefined ? { region } : { accountId, region };
  };

  return {
    defaultRegistry,
    scheme,
    hostOf,
    repositoryUri: (registry, repositoryName) => `${hostOf(registry)}/${repositoryName}`,
    proxyEndpoint: (registry) => `${scheme}://${hostOf(registry)}`,
    registryOfHost,
    isKnownHost(host) {
      const name = withoutPort(host);
      const isLocal = name === 'localhost' || name.endsWith('.localhost') || isAddress(name);
      return isLocal || name === publicUrl?.hostname || registryOfHost(host) !== undefined;
    },
  };
}

/** `ACCOUNT.dkr.ecr[-fips].REGION.SUFFIX`, `ACCOUNT.dkr-ecr…`, `[api.]ecr[-fips].REGION.SUFFIX` (ECR user guide, "Endpoints"). */
const ECR_HOST = /^(?:([0-9]{12})\.dkr[.-]ecr|api\.ecr|ecr)(?:-fips)?\.([0-9a-z-]{2,25})\.([a-z0-9.-]{1,200})$/;

const AWS_SUFFIXES = [
  'amazonaws.com',
  'amazonaws.com.cn',
  'amazonaws.eu',
  'api.aws',
  'on.aws',
  'api.amazonwebservices.com.cn',
  'on.amazonwebservices.com.cn',
  'api.amazonwebservices.eu',
  'c2s.ic.gov',
  'sc2s.sgov.gov',
  'cloud.adc-e.uk',
  'csp.hci.ic.gov',
];

/** Names can be rebound to this machine by a web page's owner, addresses cannot. */
function isAddress(name: string): boolean {
  return name.startsWith('[') || /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(name);
}

function withoutPort(host: string): string {
  const name = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':', 1)[0]!;
  return name.toLowerCase();
}

/** Reads account and region back out of host names that a template makes. */
function templateMatcher(template: string): (name: string) => Partial<Registry> | undefined {
  const pattern = withoutPort(template)
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace('{account}', '(?<accountId>[0-9]{12})')
    .replace('{region}', '(?<region>[0-9a-z-]{2,25})');
  const expression = new RegExp(`^${pattern}$`);
  return (name) => {
    const match = expression.exec(name);
    return match ? { ...match.groups } : undefined;
  };
}
