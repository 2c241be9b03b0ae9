import assert from 'node:assert/strict';
import type { SqlDialect } from '../../../src/drivers/metadata/dialect.ts';
import { accessReads, accessRecords } from '../../../src/drivers/metadata/records/access.ts';
import { backfillReads, backfillRecords } from '../../../src/drivers/metadata/records/backfills.ts';
import { blobReads, blobRecords } from '../../../src/drivers/metadata/records/blobs.ts';
import { cacheCheckReads } from '../../../src/drivers/metadata/records/cache-checks.ts';
import { cacheRuleReads } from '../../../src/drivers/metadata/records/cache-rules.ts';
import { eventReads, eventRecords } from '../../../src/drivers/metadata/records/events.ts';
import { gateReads } from '../../../src/drivers/metadata/records/gates.ts';
import { historyReads, historyRecords } from '../../../src/drivers/metadata/records/history.ts';
import { imageReads, imageRecords } from '../../../src/drivers/metadata/records/images.ts';
import { jobReads, jobRecords } from '../../../src/drivers/metadata/records/jobs.ts';
import { layerReads, layerRecords } from '../../../src/drivers/metadata/records/layers.ts';
import { lifecycleReads, lifecycleRecords } from '../../../src/drivers/metadata/records/lifecycle.ts';
import { pullTimeReads, pullTimeRecords } from '../../../src/drivers/metadata/records/pull-times.ts';
import { replicationReads, replicationRecords } from '../../../src/drivers/metadata/records/replication.ts';
import { repositoryReads, repositoryRecords } from '../../../src/drivers/metadata/records/repositories.ts';
import { scanReads, scanRecords } from '../../../src/drivers/metadata/records/scanning.ts';
import { secretReads } from '../../../src/drivers/metadata/records/secrets.ts';
import { signerProfileReads } from '../../../src/drivers/metadata/records/signer-profiles.ts';
import { signingReads } from '../../../src/drivers/metadata/records/signing.ts';
import { uploadReads } from '../../../src/drivers/metadata/records/uploads.ts';
import { usageReads } from '../../../src/drivers/metadata/records/usage.ts';
import type { Session } from '../../../src/drivers/metadata/session.ts';

const DIGEST = 'sha256:00';
const REGISTRY = { accountId: '', region: '' };
const NAMED = { registry: REGISTRY, name: '' };
const HOLDER = { accountId: '', kind: 'user', name: '' } as const;
const EPOCH = new Date(0);

export type Question = (session: Session) => Promise<unknown>;

/** Lists that must cost what they give, not what the store holds. */
export const LISTS: Readonly<Record<string, Question>> = {
  'images.findMany': (session) => imageReads(session).findMany(1, [DIGEST]),
  'images.findTags': (session) => imageReads(session).findTags(1, ['']),
  'images.pairs, any': (session) =>
    imageReads(session).pairs(1, { tagStatus: 'ANY', imageStatus: 'ACTIVE' }, undefined, 1),
  'images.pairs, tagged': (session) =>
    imageReads(session).pairs(1, { tagStatus: 'TAGGED', imageStatus: 'ACTIVE' }, undefined, 1),
  'images.pairs, untagged': (session) =>
    imageReads(session).pairs(1, { tagStatus: 'UNTAGGED', imageStatus: 'ACTIVE' }, undefined, 1),
  'images.page, any': (session) => imageReads(session).page(1, { tagStatus: 'ANY', imageStatus: 'ACTIVE' }, '', 1),
  'images.page, tagged': (session) =>
    imageReads(session).page(1, { tagStatus: 'TAGGED', imageStatus: 'ACTIVE' }, '', 1),
  'images.page, untagged': (session) =>
    imageReads(session).page(1, { tagStatus: 'UNTAGGED', imageStatus: 'ACTIVE' }, '', 1),
  'images.tags': (session) => imageReads(session).tags(1, '', 1),
  'images.referrers': (session) => imageReads(session).referrers(1, DIGEST, { imageStatus: 'ACTIVE' }, '', 1),
  'images.hasReferrers': (session) => imageReads(session).hasReferrers(1, DIGEST),
  'images.referrers of types': (session) =>
    imageReads(session).referrers(1, DIGEST, { artifactTypes: [''], imageStatus: 'ACTIVE' }, '', 1),
  'images.indexesOf': (session) => imageReads(session).indexesOf(1, DIGEST),
  'repositories.findMany': (session) => repositoryReads(session).findMany(REGISTRY, ['']),
  'repositories.page': (session) => repositoryReads(session).page(REGISTRY, '', 1),
  'lifecycle.repositoryIds': (session) => lifecycleReads(session).repositoryIds(0, 1),
  'lifecycle.images': (session) => lifecycleReads(session).images(1, '', 1),
  'lifecycle.indexesBetween': (session) => lifecycleReads(session).indexesBetween(1, '', ''),
  'lifecycle.previewImages': (session) => lifecycleReads(session).previewImages(1, 'ANY', 0, 1),
  'lifecycle.previewImagesOf': (session) => lifecycleReads(session).previewImagesOf(1, [DIGEST]),
  'layers.findMany': (session) => layerReads(session).findMany(1, [DIGEST]),
  'layers.expired': (session) => layerReads(session).expired(EPOCH, 1),
  'blobs.page': (session) => blobReads(session).page(0, 1),
  'blobs.archivedOf': (session) => blobReads(session).archivedOf(1, 1),
  'blobs.archived': (session) => blobReads(session).archived(0, 1),
  'blobs.repositoriesWith': (session) => blobReads(session).repositoriesWith(1, 1),
  'blobs.unreferenced': (session) => blobReads(session).unreferenced(1),
  'access.users': (session) => accessReads(session).users(''),
  'access.roles': (session) => accessReads(session).roles(''),
  'access.groups': (session) => accessReads(session).groups(''),
  'access.accessKeys of a user': (session) => accessReads(session).accessKeys('', ''),
  'access.accessKeys of the root': (session) => accessReads(session).accessKeys('', undefined),
  'access.hasRootKey': (session) => accessReads(session).hasRootKey(),
  'access.attachedPolicies': (session) => accessReads(session).attachedPolicies(HOLDER),
  'access.robotTokens': (session) => accessReads(session).robotTokens(''),
  'access.identityProviders': (session) => accessReads(session).identityProviders(''),
  'cacheRules.page': (session) => cacheRuleReads(session).page(REGISTRY, '', 1),
  'cacheChecks.page': (session) => cacheCheckReads(session).page(1, '', 1),
  'secrets.list': (session) => secretReads(session).list(REGISTRY),
  'pullTimes.exclusions': (session) => pullTimeReads(session).exclusions(REGISTRY, '', 1),
  'jobs.dead': (session) => jobReads(session).dead('deliver-event', 0, 1),
  'jobs.claim': (session) => jobRecords(session).claim('deliver-event', { leaseId: '', until: EPOCH }, EPOCH, 1),
  'jobs.discardDead': (session) => jobRecords(session).discardDead(EPOCH, 1),
  'events.after': (session) => eventReads(session).after(-1, 1),
  'events.lastIdBefore': (session) => eventReads(session).lastIdBefore(EPOCH),
  'events.deleteBefore': (session) => eventRecords(session).deleteBefore({ delivered: EPOCH, any: EPOCH }, 1),
  'history.tagChanges': (session) => historyReads(session).tagChanges(1, '', 1, 1),
  'history.tagChangeAt': (session) => historyReads(session).tagChangeAt(1, '', EPOCH),
  'history.firstTagChange': (session) => historyReads(session).firstTagChange(1, ''),
  'history.deletedImages': (session) => historyReads(session).deletedImages(1, '', 1),
  'history.deletedReferrers': (session) => historyReads(session).deletedReferrers(1, DIGEST),
  'replication.statusesOf': (session) => replicationReads(session).statusesOf(1),
  'backfills.page': (session) => backfillReads(session).page(REGISTRY, { endedSince: EPOCH, limit: 1 }),
  'backfills.running': (session) => backfillReads(session).running(REGISTRY),
  'backfills.lastItem': (session) => backfillReads(session).lastItem(''),
  'backfills.pendingItems': (session) => backfillReads(session).pendingItems('', 0, 1),
  'backfills.results': (session) => backfillReads(session).results('', undefined, 0, 1),
  'backfills.results of a status': (session) => backfillReads(session).results('', 'FAILED', 0, 1),
  'scanning.findMany': (session) => scanReads(session).findMany([1], 'BASIC'),
  'scanning.watched': (session) => scanReads(session).watched('ACTIVE', 0, 1),
  'scanning.inventories': (session) => scanReads(session).inventories(1, [DIGEST], 1),
  'scanning.inventoried': (session) => scanReads(session).inventoried(1, [DIGEST], 1),
  'scanning.severitiesSince': (session) => scanReads(session).severitiesSince(1, 'BASIC'),
  'signing.statusesOf': (session) => signingReads(session).statusesOf(1),
  'signerProfiles.list': (session) => signerProfileReads(session).list(REGISTRY),
  'uploads.idle': (session) => uploadReads(session).idle(EPOCH, 1),
};

/** The rest that must not read whole tables. */
export const OTHERS: Readonly<Record<string, Question>> = {
  'cacheRules.find': (session) => cacheRuleReads(session).find(REGISTRY, ''),
  'cacheChecks.find': (session) => cacheCheckReads(session).find(1, ''),
  'secrets.find': (session) => secretReads(session).find(REGISTRY, ''),
  'secrets.findByArn': (session) => secretReads(session).findByArn(''),
  'repositories.find': (session) => repositoryReads(session).find(REGISTRY, ''),
  'blobs.hasLocation': (session) => blobReads(session).hasLocation(''),
  'images.childrenOf': (session) => imageReads(session).childrenOf(1),
  'blobs.isArchived': (session) => blobReads(session).isArchived(1),
  'blobs.markArchived': (session) => blobRecords(session).markArchived(1, EPOCH),
  'layers.withdraw': (session) => layerRecords(session).withdraw({ id: 1, repositoryId: 1 }),
  'layers.find': (session) => layerReads(session).find(1, DIGEST),
  'layers.findIn': (session) => layerReads(session).findIn(NAMED, DIGEST),
  'layers.renewLeases': (session) => layerRecords(session).renewLeases(1, [DIGEST], EPOCH),
  'layers.deleteExpired': (session) => layerRecords(session).deleteExpired(1, DIGEST, EPOCH),
  'scanning.find': (session) => scanReads(session).find(1, 'BASIC'),
  'scanning.countStarted': (session) => scanReads(session).countStarted(REGISTRY, 'BASIC', EPOCH),
  'scanning.forget': (session) => scanRecords(session).forget(1),
  'gates.exceptions': (session) => gateReads(session).exceptions(1),
  'gates.find': (session) => gateReads(session).find(1),
  'gates.image': (session) => gateReads(session).image(1, DIGEST, 'BASIC'),
  'signing.rules': (session) => signingReads(session).rules(REGISTRY),
  'signerProfiles.find': (session) => signerProfileReads(session).find(''),
  'signerProfiles.authority': (session) => signerProfileReads(session).authority(REGISTRY),
  'jobs.dueKinds': (session) => jobReads(session).dueKinds(['deliver-event'], EPOCH),
  'jobs.enqueue': (session) => jobRecords(session).enqueue({ kind: 'collect-garbage', key: '', payload: {} }, EPOCH),
  'jobs.complete': (session) => jobRecords(session).complete(1, ''),
  'jobs.retry': (session) => jobRecords(session).retry(1, '', { dueAt: EPOCH, error: '' }),
  'jobs.release': (session) => jobRecords(session).release(1, '', EPOCH),
  'jobs.releaseAll': (session) => jobRecords(session).releaseAll(EPOCH),
  'jobs.revive': (session) => jobRecords(session).revive(1, EPOCH),
  'jobs.fire': (session) => jobRecords(session).fire('', 1, EPOCH),
  'history.deletedManifest': (session) => historyReads(session).deletedManifest(1, DIGEST),
  'history.forgetTagChanges': (session) => historyRecords(session).forgetTagChanges(EPOCH, 1),
  'history.forgetImages': (session) => historyRecords(session).forgetImages(EPOCH, 1),
  'repositories.reap': (session) => repositoryRecords(session).reap(1, 1),
  'lifecycle.policy': (session) => lifecycleReads(session).policy(1),
  'lifecycle.preview': (session) => lifecycleReads(session).preview(1),
  'lifecycle.noteEvaluation': (session) => lifecycleRecords(session).noteEvaluation(1, '', EPOCH),
  'lifecycle.deletePreviewImages': (session) => lifecycleRecords(session).deletePreviewImages(1, 1),
  'access.user': (session) => accessReads(session).user('', ''),
  'access.deleteUser': (session) => accessRecords(session).deleteUser('', ''),
  'access.deleteGroup': (session) => accessRecords(session).deleteGroup('', ''),
  'access.registryPolicy': (session) => accessReads(session).registryPolicy(REGISTRY),
  'images.manifest': (session) => imageReads(session).manifest(1, DIGEST),
  'images.manifestIn': (session) => imageReads(session).manifestIn(NAMED, { digest: DIGEST }),
  'images.manifestIn, by tag': (session) => imageReads(session).manifestIn(NAMED, { tag: '' }),
  'replication.rules': (session) => replicationReads(session).rules(REGISTRY),
  'replication.putStatus': (session) =>
    replicationRecords(session).putStatus(1, {
      destination: REGISTRY,
      tag: '',
      status: 'COMPLETE',
      updatedAt: EPOCH,
    }),
  'backfills.findById': (session) => backfillReads(session).findById(''),
  'backfills.deleteEnded': (session) => backfillRecords(session).deleteEnded(REGISTRY, EPOCH),
  'usage.countRepositories': (session) => usageReads(session).countRepositories(REGISTRY),
  'usage.countImages': (session) => usageReads(session).countImages(1),
  'usage.ofRepository': (session) => usageReads(session).ofRepository(1),
  'usage.stored': (session) => usageReads(session).stored(REGISTRY),
  'pullTimes.record': (session) =>
    pullTimeRecords(session).record({ repositoryId: 1, digest: DIGEST, at: EPOCH }, EPOCH),
  'images.delete': (session) =>
    imageRecords(session).delete(
      {
        id: 1,
        repositoryId: 1,
        digest: DIGEST,
        mediaType: '',
        manifestBytes: 0,
        imageBytes: 0,
        pushedAt: EPOCH,
        status: 'ACTIVE',
      },
      EPOCH,
    ),
};

/** What a question says to its database. */
export async function statementsOf(question: Question, dialect: SqlDialect): Promise<string[]> {
  const statements: string[] = [];
  await question({
    dialect,
    async rows(statement) {
      statements.push(statement);
      return [];
    },
  });
  assert.ok(statements.length > 0);
  return statements;
}
