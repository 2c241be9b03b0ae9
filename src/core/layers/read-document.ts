import type { CoreDependencies } from '../dependencies.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Descriptor } from '../values/manifest.ts';
import { createLayers } from './layers.ts';

/** Reading for what is asked about an image is nobody's pull. */
const NOBODY = { kind: 'open', accountId: '', arn: '', userId: '' } as const;

/** Far more than a signature or a config has. */
const DOCUMENT_BYTES_MAX = 1024 * 1024;

/** The bytes of a small layer; undefined when it is large, or gone. */
export async function readDocument(
  dependencies: CoreDependencies,
  { registry, name: repositoryName }: Pick<Repository, 'registry' | 'name'>,
  { digest }: Pick<Descriptor, 'digest'>,
): Promise<Buffer | undefined> {
  const layer = await createLayers(dependencies).open({ caller: NOBODY, registry }, { repositoryName, digest });
  if (layer.bytes > DOCUMENT_BYTES_MAX || layer.bytes === 0) return undefined;
  await using reader = await layer.read();
  const chunks: Buffer[] = [];
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    chunks.push(Buffer.from(chunk));
    reader.recycle(chunk);
  }
  return Buffer.concat(chunks);
}
