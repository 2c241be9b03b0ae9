import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CoreDependencies } from '../../src/core/dependencies.ts';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import type { UploadReference } from '../../src/core/layers/uploads.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { type Blob, blobOf, descriptor, digestOf, mediaTypes } from '../support/images.ts';
import {
  type CoreUnderTest,
  call,
  coreUnderTest,
  LEASE_SECONDS,
  ORPHAN_SECONDS,
  partsOver,
  pushLayer,
  readLayer,
  refusalOf,
  stage,
  streamInto,
  UPLOAD_IDLE_SECONDS,
} from './core-under-test.ts';
import { startActor } from './interleaving.ts';

const content = 'bytes that two repositories may share';

/** What stands before a push meets the collector: the layer's lease is over in `one`, and an upload has long been idle. */
interface Scene {
  readonly core: CoreUnderTest;
  readonly layer: Blob;
  readonly idleUpload: UploadReference;
  /** Its bytes, `a part`, were sealed long ago, and a crash kept that from being recorded. */
  readonly crashedUpload: UploadReference;
}

/** A step of a push. Resolves with what has to hold from then on; undefined when it was refused. */
type Step = (
  dependencies: CoreDependencies,
  scene: Scene,
) => Promise<{ repositoryName: string; digest: string } | undefined>;

const layerOf = (repositoryName: string, { digest }: Blob) => ({ repositoryName, digest });

const steps: Record<string, Step> = {
  async 'HEAD of a layer whose lease is over'(dependencies, { layer }) {
    const found = await refusalOf(partsOver(dependencies).layers.open(call, layerOf('one', layer)));
    return 'value' in found ? layerOf('one', layer) : undefined;
  },
  async 'BatchCheckLayerAvailability of a layer whose lease is over'(dependencies, { layer }) {
    const input = { repositoryName: 'one', digests: [layer.digest] };
    const { layers } = await partsOver(dependencies).layers.checkAvailability(call, input);
    return layers[0]?.availability === 'AVAILABLE' ? layerOf('one', layer) : undefined;
  },
  async 'a push of the same bytes into another repository'(dependencies, { layer }) {
    await pushLayer(partsOver(dependencies), 'two', content);
    return layerOf('two', layer);
  },
  async 'a push of the same bytes into the same repository'(dependencies, { layer }) {
    await pushLayer(partsOver(dependencies), 'one', content);
    return layerOf('one', layer);
  },
  async 'a push of new bytes'(dependencies) {
    return layerOf('one', await pushLayer(partsOver(dependencies), 'one', 'new bytes'));
  },
  async 'a mount'(dependencies, { layer }) {
    const input = { repositoryName: 'two', from: 'one', digest: layer.digest as Digest };
    return (await partsOver(dependencies).uploads.mount(call, input)) ? layerOf('two', layer) : undefined;
  },
  async 'an image of a layer whose lease is over'(dependencies, { layer }) {
    const pushed = await refusalOf(partsOver(dependencies).images.put(call, imageOf(layer)));
    return 'value' in pushed ? layerOf('one', layer) : undefined;
  },
  async 'a chunk and the end of an idle upload'(dependencies, { idleUpload }) {
    const { uploads } = partsOver(dependencies);
    const streamed = await refusalOf(streamInto(uploads, idleUpload, Buffer.from(' and more')));
    if ('refusal' in streamed) return undefined;
    const { digest } = blobOf('idle and more');
    await uploads.finish(call, { ...idleUpload, digest: digest as Digest });
    return { repositoryName: 'one', digest };
  },
  async 'a part and the completion of an idle upload'(dependencies, { idleUpload }) {
    const { uploads } = partsOver(dependencies);
    const taken = await refusalOf(uploads.uploadPart(call, { ...idleUpload, ...partOf('another part') }));
    if ('refusal' in taken) return undefined;
    const { digest } = blobOf('another part');
    await uploads.complete(call, { ...idleUpload, digests: [digest] });
    return { repositoryName: 'one', digest };
  },
  async 'a completion again, long after a crash between sealing and recording'(dependencies, { crashedUpload }) {
    const { digest } = blobOf('a part');
    const completion = partsOver(dependencies).uploads.complete(call, { ...crashedUpload, digests: [digest] });
    return 'value' in (await refusalOf(completion)) ? { repositoryName: 'one', digest } : undefined;
  },
  async 'the deletion of an image'(dependencies, { core, layer }) {
    await pushLayer(core, 'one', content);
    const { digest } = await core.images.put(call, imageOf(layer));
    core.pass(LEASE_SECONDS + 1);
    await partsOver(dependencies).images.delete(call, { repositoryName: 'one', reference: { digest } });
    return layerOf('one', layer);
  },
};

describe('garbage collection never takes what a push was told is there', () => {
  for (const [name, step] of Object.entries(steps)) {
    test(name, async () => {
      for (const collectorFirst of [false, true]) {
        let met = 0;
        for (let pushPause = 1; ; pushPause++) {
          let pushPaused = false;
          for (let collectorPause = 1; ; collectorPause++) {
            const paused = await meet(step, { pushPause, collectorPause, collectorFirst });
            pushPaused ||= paused.push;
            met++;
            if (!paused.collector) break;
          }
          if (!pushPaused) break;
        }
        assert.ok(met > 10, `only ${met} interleavings`);
      }
    });
  }
});

interface Meeting {
  readonly pushPause: number;
  readonly collectorPause: number;
  readonly collectorFirst: boolean;
}

/** One push, one collection, each stopped once: the first to start is the first to go on. */
async function meet(step: Step, { pushPause, collectorPause, collectorFirst }: Meeting) {
  await using core = await coreUnderTest();
  const scene = await prepare(core);
  let kept: Awaited<ReturnType<Step>>;
  const startPush = () =>
    startActor(core.dependencies, pushPause, async (dependencies) => {
      kept = await step(dependencies, scene);
    });
  const startCollector = () =>
    startActor(core.dependencies, collectorPause, async (dependencies) => {
      await collectGarbage(dependencies);
    });
  const first = collectorFirst ? startCollector() : startPush();
  const firstPaused = await first.paused;
  const second = collectorFirst ? startPush() : startCollector();
  const secondPaused = await second.paused;
  await first.finish();
  await second.finish();
  if (kept) {
    // A whole collection later, still within the lease.
    await collectGarbage(core.dependencies);
    const bytes = await readLayer(core, kept.repositoryName, kept.digest);
    const at = `push stopped at ${pushPause}, collector at ${collectorPause}, collector first: ${collectorFirst}`;
    assert.equal(bytes && blobOf(bytes).digest, kept.digest, at);
  }
  const { problems } = await verifyStore(core.dependencies);
  assert.deepEqual(problems, []);
  return collectorFirst
    ? { push: secondPaused, collector: firstPaused }
    : { push: firstPaused, collector: secondPaused };
}

async function prepare(core: CoreUnderTest): Promise<Scene> {
  const idleUpload = await stage(core, 'one', Buffer.from('idle'));
  await pushLayer(core, 'one', 'config');
  core.pass(UPLOAD_IDLE_SECONDS + ORPHAN_SECONDS + 1);
  const layer = await pushLayer(core, 'one', content);
  await pushLayer(core, 'one', 'config');
  const crashedUpload = await crash(core);
  core.pass(Math.max(LEASE_SECONDS, ORPHAN_SECONDS) + 1);
  return { core, layer, idleUpload, crashedUpload };
}

async function crash({ dependencies, uploads }: CoreUnderTest): Promise<UploadReference> {
  const { uploadId } = await uploads.initiate(call, { repositoryName: 'one' });
  const upload = { repositoryName: 'one', uploadId };
  await uploads.uploadPart(call, { ...upload, ...partOf('a part') });
  const digest = digestOf('a part') as Digest;
  assert.ok(await dependencies.blobs.seal(uploadId, digest, 6));
  return upload;
}

function partOf(text: string) {
  const bytes = new Uint8Array(Buffer.from(text));
  return { firstByte: 0, lastByte: bytes.length - 1, chunks: [bytes], bytes: bytes.length };
}

function imageOf(layer: Blob) {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(mediaTypes.config, layer),
    layers: [],
  };
  return { repositoryName: 'one', manifest: Buffer.from(JSON.stringify(manifest)) };
}
