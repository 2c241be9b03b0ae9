import { openBlobKeys } from '../compose/blob-keys.ts';
import { coreDependencies, openStoresWithArchive } from '../compose/stores.ts';
import { ACCOUNT_SETTING, REGION_SETTING } from '../config/access-settings.ts';
import { readFolderConfig } from '../config/config.ts';
import { accountIdOf, regionOf } from '../config/registry-config.ts';
import { settingsReader } from '../config/settings-reader.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { refuseFailure, resolveImages } from '../core/images/find-images.ts';
import type { Image } from '../core/images/image-records.ts';
import { findRepository } from '../core/repositories/find-repository.ts';
import type { Repository } from '../core/repositories/repository-records.ts';
import { type FoundSignature, listSignatures } from '../core/signing/list-signatures.ts';
import type { Registry } from '../core/values/registry.ts';
import type { Invocation } from './command-spec.ts';
import { describeTime, sayList } from './output.ts';
import { toldInWords } from './tag-session.ts';

/** `gantry signature list REPOSITORY[:TAG|@DIGEST]` */
export async function tellSignatures(invocation: Invocation): Promise<void> {
  const [named = ''] = invocation.operands;
  const { flags, environment } = invocation;
  const given = settingsReader([ACCOUNT_SETTING, REGION_SETTING], flags, environment);
  const registry = { accountId: accountIdOf(given, 'account'), region: regionOf(given, environment) };
  const config = readFolderConfig(flags, environment);
  await using opening = new AsyncDisposableStack();
  const stores = opening.use(await openStoresWithArchive(config));
  const keys = opening.use(await openBlobKeys(stores, config));
  const dependencies = coreDependencies(stores, config, {}, keys);
  const { repository, image } = await toldInWords(findNamed(dependencies, registry, named));
  const found = await Array.fromAsync(listSignatures(dependencies, repository, image));
  sayList(invocation, found, {
    headings: ['IMAGE', 'KIND', 'WHEN', 'SIGNATURE', 'THUMBPRINT', 'WHO'],
    row: signatureRow,
    none: `There are no signatures of ${named}.`,
  });
}

/** Nobody is asked who they are that may read the data folder. */
const OPERATOR = { kind: 'open', accountId: '', arn: '', userId: '' } as const;

function signatureRow({ image, kind, at, digest, thumbprint, signer, expiresAt, isIntact }: FoundSignature): string[] {
  const who = isIntact === false ? 'broken: not a signature of this image' : (signer ?? 'a key without certificate');
  const until = expiresAt ? ` (until ${describeTime(expiresAt)})` : '';
  return [image, kind, describeTime(at), digest, thumbprint ?? '-', `${who}${until}`];
}

async function findNamed(
  { metadata: { read } }: CoreDependencies,
  registry: Registry,
  named: string,
): Promise<{ repository: Repository; image?: Pick<Image, 'digest'> }> {
  const [, repositoryName = '', imageTag, imageDigest] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/.exec(named) ?? [];
  const repository = await findRepository(read, registry, repositoryName);
  if (imageTag === undefined && imageDigest === undefined) return { repository };
  const imageId = {
    ...(imageTag !== undefined && { imageTag }),
    ...(imageDigest !== undefined && { imageDigest }),
  };
  const [resolved] = await resolveImages(read, repository, [imageId]);
  if (!resolved) throw new Error('An image id was not resolved');
  if ('code' in resolved) return refuseFailure({ caller: OPERATOR, registry }, repositoryName, resolved, 'imageId');
  return { repository, image: resolved.image };
}
