import type { MetadataStore, Reads, Records } from '../../core/metadata-store.ts';
import { bringToPresentForm, presentVersion } from './migrate.ts';
import { accessReads, accessRecords } from './records/access.ts';
import { accountSettingReads, accountSettingRecords } from './records/account-settings.ts';
import { backfillReads, backfillRecords } from './records/backfills.ts';
import { blobReads, blobRecords } from './records/blobs.ts';
import { cacheCheckReads, cacheCheckRecords } from './records/cache-checks.ts';
import { cacheRuleReads, cacheRuleRecords } from './records/cache-rules.ts';
import { creationTemplateReads, creationTemplateRecords } from './records/creation-templates.ts';
import { eventReads, eventRecords } from './records/events.ts';
import { gateReads, gateRecords } from './records/gates.ts';
import { historyReads, historyRecords } from './records/history.ts';
import { imageReads, imageRecords } from './records/images.ts';
import { jobReads, jobRecords } from './records/jobs.ts';
import { kmsKeyReads, kmsKeyRecords } from './records/kms-keys.ts';
import { layerReads, layerRecords } from './records/layers.ts';
import { lifecycleReads, lifecycleRecords } from './records/lifecycle.ts';
import { moveReads, moveRecords } from './records/moves.ts';
import { peerReads, peerRecords } from './records/peers.ts';
import { pullTimeReads, pullTimeRecords } from './records/pull-times.ts';
import { replicationReads, replicationRecords } from './records/replication.ts';
import { repositoryReads, repositoryRecords } from './records/repositories.ts';
import { scanReads, scanRecords } from './records/scanning.ts';
import { secretReads, secretRecords } from './records/secrets.ts';
import { signerProfileReads, signerProfileRecords } from './records/signer-profiles.ts';
import { signingReads, signingRecords } from './records/signing.ts';
import { signingKeyReads, signingKeyRecords } from './records/signing-keys.ts';
import { uploadReads, uploadRecords } from './records/uploads.ts';
import { usageReads } from './records/usage.ts';
import type { Session, SqlDatabase } from './session.ts';
import { recordsWithin } from './work-scope.ts';

/** The metadata store over a database; the store owns the database and closes it. */
export function sqlMetadataStore(database: SqlDatabase): MetadataStore {
  return {
    isShared: database.isShared,
    read: reads(database.reader),
    transaction: (about, work) =>
      database.transaction(about, (session) => work(recordsWithin(about, session, records))),
    migrate: () => bringToPresentForm(database),
    async ready() {
      await presentVersion(database.reader);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function reads(session: Session): Reads {
  return {
    repositories: repositoryReads(session),
    blobs: blobReads(session),
    layers: layerReads(session),
    uploads: uploadReads(session),
    images: imageReads(session),
    signingKeys: signingKeyReads(session),
    access: accessReads(session),
    creationTemplates: creationTemplateReads(session),
    cacheRules: cacheRuleReads(session),
    cacheChecks: cacheCheckReads(session),
    secrets: secretReads(session),
    kmsKeys: kmsKeyReads(session),
    history: historyReads(session),
    events: eventReads(session),
    jobs: jobReads(session),
    lifecycle: lifecycleReads(session),
    pullTimes: pullTimeReads(session),
    accountSettings: accountSettingReads(session),
    usage: usageReads(session),
    replication: replicationReads(session),
    peers: peerReads(session),
    backfills: backfillReads(session),
    moves: moveReads(session),
    scanning: scanReads(session),
    gates: gateReads(session),
    signerProfiles: signerProfileReads(session),
    signing: signingReads(session),
  };
}

function records(session: Session): Records {
  return {
    repositories: repositoryRecords(session),
    blobs: blobRecords(session),
    layers: layerRecords(session),
    uploads: uploadRecords(session),
    images: imageRecords(session),
    signingKeys: signingKeyRecords(session),
    access: accessRecords(session),
    creationTemplates: creationTemplateRecords(session),
    cacheRules: cacheRuleRecords(session),
    cacheChecks: cacheCheckRecords(session),
    secrets: secretRecords(session),
    kmsKeys: kmsKeyRecords(session),
    history: historyRecords(session),
    events: eventRecords(session),
    jobs: jobRecords(session),
    lifecycle: lifecycleRecords(session),
    pullTimes: pullTimeRecords(session),
    accountSettings: accountSettingRecords(session),
    usage: usageReads(session),
    replication: replicationRecords(session),
    peers: peerRecords(session),
    backfills: backfillRecords(session),
    moves: moveRecords(session),
    scanning: scanRecords(session),
    gates: gateRecords(session),
    signerProfiles: signerProfileRecords(session),
    signing: signingRecords(session),
  };
}
