import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type HttpAnswer, http } from '../support/http.ts';
import {
  type Blob,
  blobOf,
  descriptor,
  digestOf,
  mediaTypes,
  pushBlob,
  pushImage,
  pushManifest,
  randomImage,
} from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';

const repository = 'ref/app';
const signature = 'application/vnd.example.signature+json';
const bom = 'application/vnd.example.sbom';
const empty = blobOf('{}');

describe('referrers over /v2/', () => {
  let server: RunningServer;
  const subject = randomImage();
  const list = (digest: string, query = '') => http(`${server.url}/v2/${repository}/referrers/${digest}${query}`);
  const digestsOf = (answer: HttpAnswer): string[] => answer.json().manifests.map(({ digest }: Blob) => digest);
  const sorted = (blobs: readonly Blob[]) => blobs.map(({ digest }) => digest).sort();
  const push = (manifest: Blob) => pushManifest(server.url, repository, manifest.digest, manifest, mediaTypes.manifest);

  const signatures = [1, 2, 3].map((n) => artifact(signature, subject.manifest, { n: String(n) }));
  const boms = [1, 2].map((n) => artifact(bom, subject.manifest, { bom: String(n) }));

  before(async () => {
    server = await startServer();
    assertStatus(await pushBlob(server.url, repository, empty), 201);
    await pushImage(server.url, repository, 'subject', subject);
    for (const manifest of [...signatures, ...boms]) {
      const answer = await push(manifest);
      assertStatus(answer, 201);
      assert.equal(answer.headers['oci-subject'], subject.manifest.digest);
    }
  });
  after(() => server[Symbol.asyncDispose]());

  it('are an index of what names the digest as its subject', async () => {
    const answer = await list(subject.manifest.digest);
    assertStatus(answer, 200);
    assert.equal(answer.headers['content-type'], mediaTypes.index);
    assert.equal(answer.headers['oci-filters-applied'], undefined);
    const { schemaVersion, mediaType, manifests } = answer.json();
    assert.deepEqual([schemaVersion, mediaType], [2, mediaTypes.index]);
    assert.deepEqual(digestsOf(answer).sort(), sorted([...signatures, ...boms]));
    const [first] = signatures as [Blob];
    assert.deepEqual(
      manifests.find(({ digest }: Blob) => digest === first.digest),
      { ...descriptor(mediaTypes.manifest, first), artifactType: signature, annotations: { n: '1' } },
    );
  });

  for (const text of [encodeURIComponent(signature), signature]) {
    it(`may be of one type: ${text}`, async () => {
      const answer = await list(subject.manifest.digest, `?artifactType=${text}`);
      assert.equal(answer.headers['oci-filters-applied'], 'artifactType');
      assert.deepEqual(digestsOf(answer).sort(), sorted(signatures));
    });
  }

  it('of a type that nobody has are none, with the filter named', async () => {
    const answer = await list(subject.manifest.digest, '?artifactType=application/x');
    assertStatus(answer, 200);
    assert.equal(answer.headers['oci-filters-applied'], 'artifactType');
    assert.deepEqual(digestsOf(answer), []);
  });

  it('come in pages that link to each other and keep the filter', async () => {
    const found: string[] = [];
    let next: string | undefined =
      `/v2/${repository}/referrers/${subject.manifest.digest}?n=2&artifactType=${encodeURIComponent(signature)}`;
    while (next !== undefined) {
      const answer: HttpAnswer = await http(`${server.url}${next}`);
      assert.equal(answer.headers['oci-filters-applied'], 'artifactType');
      assert.ok(digestsOf(answer).length <= 2);
      found.push(...digestsOf(answer));
      next = /^<(\/v2\/.*)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    }
    assert.deepEqual(found.sort(), sorted(signatures));
  });

  it('come in pages no larger than a manifest', async () => {
    const other = randomImage();
    const large = Array.from({ length: 12 }, (_, n) =>
      artifact(bom, other.manifest, { n: `${n}`.padEnd(900_000, 'x') }),
    );
    for (const manifest of large) assertStatus(await push(manifest), 201);
    const found: string[] = [];
    let next: string | undefined = `/v2/${repository}/referrers/${other.manifest.digest}`;
    while (next !== undefined) {
      const answer: HttpAnswer = await http(`${server.url}${next}`);
      assert.ok(answer.body.length < 4.1 * 1024 * 1024, String(answer.body.length));
      found.push(...digestsOf(answer));
      next = /^<(\/v2\/.*)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    }
    assert.deepEqual(found, sorted(large));
  });

  it('may come before their subject does', async () => {
    const later = randomImage();
    const early = artifact(signature, later.manifest, {});
    assertStatus(await push(early), 201);
    assert.deepEqual(digestsOf(await list(later.manifest.digest)), [early.digest]);
  });

  it('go when they are deleted', async () => {
    const other = randomImage();
    const doomed = artifact(bom, other.manifest, {});
    assertStatus(await push(doomed), 201);
    const at = `${server.url}/v2/${repository}/manifests/${doomed.digest}`;
    assertStatus(await http(at, { method: 'DELETE' }), 202);
    assert.deepEqual(digestsOf(await list(other.manifest.digest)), []);
  });

  it('of what is not there are an empty index', async () => {
    const nothing = digestOf('nothing');
    for (const path of [`${repository}/referrers/${nothing}`, `nobody/has/referrers/${nothing}`]) {
      const answer = await http(`${server.url}/v2/${path}`);
      assertStatus(answer, 200);
      assert.deepEqual(answer.json(), { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] });
    }
  });

  it('refuse what is no digest', async () => {
    assertOciError(await list('latest'), 400, 'DIGEST_INVALID');
    assertOciError(await list('sha256:abc'), 400, 'DIGEST_INVALID');
  });
});

function artifact(artifactType: string, subject: Blob, annotations: Record<string, string>): Blob {
  return blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config: descriptor(mediaTypes.empty, empty),
      layers: [descriptor(mediaTypes.empty, empty)],
      subject: descriptor(mediaTypes.manifest, subject),
      annotations,
    }),
  );
}
