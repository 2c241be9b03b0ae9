import {
  type Blob,
  blobOf,
  descriptor,
  type Image,
  mediaTypes,
  pushImage,
  pushManifest,
  randomImage,
} from '../support/images.ts';
import { type Ran, runAny } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode } from '../support/server.ts';

/** Runs `gantry import` or `export` on a data folder, whatever comes of it. */
export function migration(data: string, env: Readonly<Record<string, string>> = {}) {
  return (...words: string[]): Promise<Ran> =>
    runAny([pinnedNode, `${checkout}/bin/gantry.js`, ...words, '--data', data], {
      env: { ...(cleanEnvironment() as Record<string, string>), ...env },
    });
}

export interface World {
  readonly image: Image;
  readonly children: readonly Image[];
  readonly index: Blob;
  readonly signature: Image;
}

/** `team/app` with two tags on one image, an index of two under `multi`, and a signature of the first image. */
export async function pushWorld(url: string): Promise<World> {
  const image = randomImage([3000, 5000]);
  await pushImage(url, 'team/app', 'v1', image);
  await pushManifest(url, 'team/app', 'latest', image.manifest, image.mediaType);
  const children = [randomImage(), randomImage()];
  for (const child of children) await pushImage(url, 'team/app', child.manifest.digest, child);
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
  const index = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: children.map((child, at) => ({
        ...descriptor(child.mediaType, child.manifest),
        platform: platforms[at],
      })),
    }),
  );
  const pushed = await pushManifest(url, 'team/app', 'multi', index, mediaTypes.index);
  if (pushed.status !== 201) throw new Error(pushed.text());
  const signature = signatureOf(image);
  await pushImage(url, 'team/app', signature.manifest.digest, signature);
  return { image, children, index, signature };
}

function signatureOf(image: Image): Image {
  const config = blobOf('{}');
  const layer = blobOf(`signature of ${image.manifest.digest}`);
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: 'application/x-signature',
      config: descriptor(mediaTypes.empty, config),
      layers: [descriptor('application/x-signature', layer)],
      subject: descriptor(image.mediaType, image.manifest),
    }),
  );
  return { config, layers: [layer], manifest, mediaType: mediaTypes.manifest };
}
