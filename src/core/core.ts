import type { Authorizer } from './access/authorizer.ts';
import type { DownloadLinks } from './access/download-links.ts';
import type { RegistryAddresses } from './access/registry-addresses.ts';
import type { RegistryTokens } from './access/registry-tokens.ts';
import type { Images } from './images/images.ts';
import type { Layers } from './layers/layers.ts';
import type { Uploads } from './layers/uploads.ts';
import type { Repositories } from './repositories/repositories.ts';

/** What a face may ask of the registry. Every call takes a `Call` first: who asks, and which registry is meant. */
export interface Core {
  readonly authorizer: Authorizer;
  readonly addresses: RegistryAddresses;
  readonly registryTokens: RegistryTokens;
  readonly downloadLinks: DownloadLinks;
  readonly repositories: Repositories;
  readonly uploads: Uploads;
  readonly layers: Layers;
  readonly images: Images;
}
