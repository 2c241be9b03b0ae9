import type { CoreDependencies } from '../dependencies.ts';
import { attachArtifact } from '../transfer/attach-artifact.ts';
import { CYCLONE_DX_TYPE } from './cyclone-dx.ts';
import type { ScanEngine } from './scan-engine.ts';
import type { ReadImage } from './scan-image.ts';

const NOBODY = { kind: 'open', accountId: '', arn: '', userId: '' } as const;

/**
 * Pushes a list of what an image holds as an artifact that refers to it. Repeatable: the same list is there once. Refuses as a
 * push does.
 */
export async function attachSbom(
  dependencies: CoreDependencies,
  engine: Pick<ScanEngine, 'describe'>,
  { repository, image, layers }: ReadImage,
): Promise<void> {
  const { registry, name: repositoryName } = repository;
  const content = await engine.describe(layers, { digest: image.digest, repositoryName });
  const artifact = { artifactType: CYCLONE_DX_TYPE, mediaType: CYCLONE_DX_TYPE, content };
  await attachArtifact(dependencies, { caller: NOBODY, registry }, { repositoryName, image }, artifact);
}
