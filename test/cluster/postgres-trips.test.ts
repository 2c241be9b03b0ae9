import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { openSlowWay, type SlowWay } from './postgres-trips.ts';

const REPOSITORY = 'team/app';
/** Of so many the one in the middle counts: a server also asks for things by itself. */
const PULLS = 15;

describe('what a pull costs where the database is far away', { skip: withoutPostgres }, () => {
  const image = randomImage([1000]);
  let database: PostgresServer;
  let way: SlowWay;
  let server: RunningServer;
  before(async () => {
    database = await startPostgres();
    way = await openSlowWay(await database.newDatabase());
    server = await startServer({ env: { GANTRY_DATABASE_URL: way.url } });
    await awsCall(server.url, 'CreateRepository', { repositoryName: REPOSITORY });
    await pushImage(server.url, REPOSITORY, 'v1', image);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await way[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const blob = image.layers[0]!;
  const requests: Readonly<Record<string, () => Promise<{ status: number }>>> = {
    'a manifest by tag': () => http(`${server.url}/v2/${REPOSITORY}/manifests/v1`),
    'a manifest by digest': () => http(`${server.url}/v2/${REPOSITORY}/manifests/${image.manifest.digest}`),
    'a look at a layer': () => http(`${server.url}/v2/${REPOSITORY}/blobs/${blob.digest}`, { method: 'HEAD' }),
    'a layer': () => http(`${server.url}/v2/${REPOSITORY}/blobs/${blob.digest}`),
    'a download link': () =>
      awsCall(server.url, 'GetDownloadUrlForLayer', { repositoryName: REPOSITORY, layerDigest: blob.digest }),
  };
  for (const [name, request] of Object.entries(requests)) {
    it(`is one round trip: ${name}`, async () => {
      const trips: number[] = [];
      for (let pull = 0; pull < PULLS; pull++) {
        trips.push(await way.tripsOf(async () => assert.equal((await request()).status, 200)));
      }
      assert.equal(trips.toSorted((one, other) => one - other)[(PULLS - 1) / 2], 1, trips.join(' '));
    });
  }
});
