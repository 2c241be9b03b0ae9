import { type ECR, waitUntilLifecyclePolicyPreviewComplete } from '@aws-sdk/client-ecr';
import { type Blob, descriptor, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import type { RunningServer } from '../support/server.ts';
import { manifestOf } from '../system/aws-client.ts';

/** A server, and a client all of whose answers are looked at. */
export interface World {
  readonly server: RunningServer;
  readonly ecr: ECR;
  /** `gantry WORDS` on the server's data. */
  readonly gantry: (...words: string[]) => Promise<string>;
}

/** What drives some operations; answers need no assertions, for other tests have them. */
export type Scene = (world: World) => Promise<void>;

export async function pushedImage({ server }: World, repositoryName: string, tag?: string): Promise<Blob> {
  const image = randomImage([100]);
  await pushImage(server.url, repositoryName, tag ?? image.manifest.digest, image);
  return image.manifest;
}

/** Something that refers to an image, with an artifact type and annotations. */
export async function pushedReferrer({ ecr }: World, repositoryName: string, subject: Blob): Promise<void> {
  const config = JSON.parse(subject.bytes.toString()).config;
  const blob = { digest: config.digest, bytes: Buffer.alloc(config.size) };
  const more = {
    artifactType: 'application/vnd.sig',
    subject: descriptor(mediaTypes.manifest, subject),
    annotations: { number: `${Math.random()}` },
  };
  await ecr.putImage({ repositoryName, imageManifest: manifestOf(blob, [], more).bytes.toString() });
}

export async function previewed({ ecr }: World, repositoryName: string): Promise<void> {
  const times = { client: ecr, maxWaitTime: 20, minDelay: 1, maxDelay: 1 };
  await waitUntilLifecyclePolicyPreviewComplete(times, { repositoryName });
}
