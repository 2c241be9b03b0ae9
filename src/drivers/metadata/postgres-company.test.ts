import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Company, companyOf, takesRepository } from './postgres-company.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { accessRecords } from './records/access.ts';
import { blobRecords } from './records/blobs.ts';
import { imageRecords } from './records/images.ts';
import { jobRecords } from './records/jobs.ts';
import { layerRecords } from './records/layers.ts';
import { pullTimeRecords } from './records/pull-times.ts';
import { repositoryReads, repositoryRecords } from './records/repositories.ts';
import { uploadRecords } from './records/uploads.ts';
import type { Session } from './session.ts';

const EPOCH = new Date(0);
const REGISTRY = { accountId: '', region: '' };
const DIGEST = 'sha256:00';
const LEASE = { leaseId: '', until: EPOCH };
const UPLOAD = { parts: 0, bytes: 0, lastPartBytes: 0, createdAt: EPOCH, touchedAt: EPOCH };

type Beginning = (session: Session) => Promise<unknown>;

const BEGINNINGS: Readonly<Record<string, readonly [Company, Beginning]>> = {
  'repositories.find': ['beside-others', (session) => repositoryRecords(session).find(REGISTRY, '')],
  'repositories.findById': ['beside-others', (session) => repositoryRecords(session).findById(1)],
  'uploads.find': ['beside-others', (session) => uploadRecords(session).find(1, '')],
  'uploads.insert': [
    'beside-others',
    (session) => uploadRecords(session).insert({ id: '', repositoryId: 1, ...UPLOAD }),
  ],
  'uploads.delete': ['beside-others', (session) => uploadRecords(session).delete('')],
  'blobs.find': ['beside-others', (session) => blobRecords(session).find('', DIGEST)],
  'layers.find': ['beside-others', (session) => layerRecords(session).find(1, DIGEST)],
  'layers.renewLeases': ['beside-others', (session) => layerRecords(session).renewLeases(1, [DIGEST], EPOCH)],
  'jobs.enqueue': [
    'beside-others',
    (session) => jobRecords(session).enqueue({ kind: 'collect-garbage', payload: {} }, EPOCH),
  ],
  'jobs.claim': ['beside-others', (session) => jobRecords(session).claim('collect-garbage', LEASE, EPOCH, 1)],
  'jobs.complete': ['beside-others', (session) => jobRecords(session).complete(1, '')],
  'jobs.fire': ['beside-others', (session) => jobRecords(session).fire('', 1, EPOCH)],
  'pullTimes.record': [
    'beside-others',
    (session) => pullTimeRecords(session).record({ repositoryId: 1, digest: DIGEST, at: EPOCH }, EPOCH),
  ],
  'layers.deleteExpired': ['alone', (session) => layerRecords(session).deleteExpired(1, DIGEST, EPOCH)],
  'blobs.deleteUnreferenced': ['alone', (session) => blobRecords(session).deleteUnreferenced(1)],
  'repositories.reap': ['alone', (session) => repositoryRecords(session).reap(1, 1)],
  'images.find': ['alone', (session) => imageRecords(session).find(1, DIGEST)],
  'access.deleteGroup': ['alone', (session) => accessRecords(session).deleteGroup('', '')],
};

describe('the company of a transaction', () => {
  for (const [name, [company, begin]] of Object.entries(BEGINNINGS)) {
    it(`that begins with ${name} is ${company}`, async () => {
      assert.equal(companyOf(await firstStatementOf(begin)), company);
    });
  }

  it('is bound to a repository by finding it, and by no other read', async () => {
    assert.ok(takesRepository(await firstStatementOf((session) => repositoryRecords(session).findById(1))));
    assert.ok(takesRepository(await firstStatementOf((session) => repositoryRecords(session).find(REGISTRY, ''))));
    assert.ok(!takesRepository(await firstStatementOf((session) => repositoryReads(session).findById(1))));
    assert.ok(!takesRepository(await firstStatementOf((session) => uploadRecords(session).find(1, ''))));
  });
});

async function firstStatementOf(begin: Beginning): Promise<string> {
  const statements: string[] = [];
  await begin({
    dialect: postgresDialect,
    async rows(statement) {
      statements.push(statement);
      return [];
    },
  });
  return statements[0]!;
}
