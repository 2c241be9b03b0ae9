import assert from 'node:assert/strict';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import { createHistory, type History } from '../../src/core/history/history.ts';
import type { RestoreTagInput } from '../../src/core/history/restore.ts';
import type { Blob } from '../support/images.ts';
import { type CoreUnderTest, call, coreUnderTest, readLayer, refusalOf } from './core-under-test.ts';

export const DAY_SECONDS = 24 * 3600;
export const UNDO_SECONDS = 14 * DAY_SECONDS;

export const repositoryName = 'one';

/** Core that remembers for fourteen days, and what a test asks of its repository `one`. */
export interface HistoryUnderTest extends AsyncDisposable {
  readonly core: CoreUnderTest;
  readonly history: History;
  restore(tag: string, wanted?: Pick<RestoreTagInput, 'digest' | 'moment'>): ReturnType<History['restoreTag']>;
  /** The words of the refusal. */
  refused(work: Promise<unknown>): Promise<string>;
  remove(digest: string): Promise<void>;
  untag(tag: string): Promise<void>;
  /** What a tag is on; undefined when there is no such tag. */
  digestAt(tag: string): Promise<string | undefined>;
  /** Collects garbage, then finds nothing amiss. */
  collect(): Promise<void>;
  /** The image can be pulled, manifest and layers byte for byte. */
  assertWhole(manifest: Blob, word: string): Promise<void>;
}

export async function historyUnderTest(...given: Parameters<typeof coreUnderTest>): Promise<HistoryUnderTest> {
  const [settings, limits] = given;
  const core = await coreUnderTest({ undoSeconds: UNDO_SECONDS, ...settings }, limits);
  const { images, dependencies } = core;
  const history = createHistory(dependencies);
  return {
    core,
    history,
    restore: (tag, wanted = {}) => history.restoreTag(call, { repositoryName, tag, ...wanted }),
    async refused(work) {
      const outcome = await refusalOf(work).catch((error: unknown) => assert.fail(String(error)));
      assert.ok('refusal' in outcome, 'expected a refusal');
      return work.then(
        () => '',
        (error: Error) => error.message,
      );
    },
    remove: (digest) => images.delete(call, { repositoryName, reference: { digest } }),
    untag: (tag) => images.delete(call, { repositoryName, reference: { tag } }),
    async digestAt(tag) {
      const outcome = await refusalOf(images.getManifest(call, { repositoryName, reference: { tag } }));
      return 'value' in outcome ? outcome.value.digest : undefined;
    },
    async collect() {
      await collectGarbage(dependencies);
      assert.deepEqual((await verifyStore(dependencies)).problems, []);
    },
    async assertWhole({ digest, bytes }, word) {
      const { bytes: found } = await images.getManifest(call, { repositoryName, reference: { digest } });
      assert.deepEqual(Buffer.from(found), bytes);
      const { config, layers } = JSON.parse(bytes.toString());
      assert.deepEqual(await readLayer(core, repositoryName, config.digest), Buffer.from(`config ${word}`));
      assert.deepEqual(await readLayer(core, repositoryName, layers[0].digest), Buffer.from(`layer ${word}`));
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}
