import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { pushBlob, pushImage, randomImage } from '../support/images.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { openSlowWay, type SlowWay } from './postgres-trips.ts';

const REPOSITORY = 'team/app';
/** Of so many the one in the middle counts: a server also asks for things by itself. */
const PULLS = 15;
const PUSHES = 7;

/** A request is waited for by others that the server makes by itself, now and then. */
function middleOf(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[(numbers.length - 1) / 2]!;
}

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
      assert.equal(middleOf(trips), 1, trips.join(' '));
    });
  }

  it('is one wait for each thing that must be known first: putting a manifest', async () => {
    const trips: number[] = [];
    for (let push = 0; push < PUSHES; push++) {
      const { config, layers, manifest, mediaType } = randomImage([1000], { push: String(push) });
      for (const blob of [config, ...layers]) await pushBlob(server.url, REPOSITORY, blob);
      const body = { method: 'PUT', body: manifest.bytes, headers: { 'Content-Type': mediaType } };
      const put = () => http(`${server.url}/v2/${REPOSITORY}/manifests/push-${push}`, body);
      trips.push(await way.tripsOf(async () => assert.equal((await put()).status, 201)));
    }
    // The repository for the permission and for its key, and again as its own; what is there; the layers; the image; what
    // the image has; its tag with all that follows; the end.
    assert.ok(middleOf(trips) <= 9, trips.join(' '));
  });
});
