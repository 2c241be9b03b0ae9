import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../src/core/values/digest.ts';
import { type Answering, against, bodyOf, failure } from '../upstreams/hostile-registry.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config: {}, layers: [] });
const blob = Buffer.alloc(3_000_000, 'abcdefg');
const digest = digestOf(blob);

describe('pushes to an upstream that cannot be trusted', () => {
  const source = {
    digest,
    bytes: blob.length,
    read: async () => {
      throw new Error('not to be read');
    },
  };

  it('are of a manifest only when it is stored as it is', async () => {
    const lie = digestOf(Buffer.from('x'));
    const content = Buffer.from(manifest);
    await against(
      async (request, response) => {
        await bodyOf(request);
        response.writeHead(201, { 'Docker-Content-Digest': lie }).end();
      },
      async (client) => {
        const put = (reference: string) => client.putManifest('a', reference, { content, mediaType: ociManifest });
        await assert.rejects(put('latest'), failure('invalid', /it stored sha256/));
        await assert.rejects(put(lie), failure('invalid', /the manifest's digest is/));
      },
    );
  });

  it('say where bytes are to go', async () => {
    const upload = (answer: Answering) => against(answer, (client) => client.uploadBlob('a', source));
    await assert.rejects(
      upload((_, response) => response.writeHead(202).end()),
      failure('invalid', /does not say where/),
    );
    await assert.rejects(
      upload((_, response) => response.writeHead(201).end()),
      failure('invalid', /answered 201/),
    );
    const elsewhere: Answering = (_, response) => response.writeHead(202, { Location: 'http://localhost:9/up' }).end();
    const reading = { ...source, read: async () => readerOf(blob) };
    await assert.rejects(
      against(elsewhere, (client) => client.uploadBlob('a', reading)),
      failure('forbidden-address', /localhost \(.*\) is a loopback address/),
    );
  });

  it('go with the PUT to an upstream that takes no PATCH', async () => {
    const received: Buffer[] = [];
    const monolithic: Answering = async (request, response, count) => {
      const body = await bodyOf(request);
      if (request.method === 'POST') return response.writeHead(202, { Location: `/up/${count}?state=a%2Bb` }).end();
      if (request.method !== 'PUT') return response.writeHead(405).end();
      received.push(body);
      return response.writeHead(201, { 'Docker-Content-Digest': digest }).end();
    };
    await against(monolithic, async (client, { asked }) => {
      assert.equal(await client.uploadBlob('a', { ...source, read: async () => readerOf(blob) }), 'uploaded');
      assert.deepEqual(received, [blob]);
      assert.match(asked.at(-1) ?? '', /^PUT \/up\/[34]\?state=a%2Bb&digest=sha256%3A/);
    });
  });

  it('end when the upstream says no before it has everything', async () => {
    const full: Answering = (request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { Location: '/up' }).end();
      return response.writeHead(413).end('{"errors":[{"code":"SIZE_INVALID","message":"too large"}]}');
    };
    let isDisposed = 0;
    const endless = {
      bytes: 1e12,
      next: async () => Buffer.alloc(65_536),
      recycle() {},
      async [Symbol.asyncDispose]() {
        isDisposed += 1;
      },
    };
    const large = { digest, bytes: 1e12, read: async () => endless };
    const upload = against(full, (client) => client.uploadBlob('a', large));
    await assert.rejects(upload, failure('refused', /answered 413 \(SIZE_INVALID: too large\)/));
    await sleep(50);
    assert.equal(isDisposed, 1);
  });

  it('are there when only the answer was lost', async () => {
    let isStored = false;
    const forgetful: Answering = async (request, response) => {
      await bodyOf(request);
      if (request.method === 'HEAD')
        return response.writeHead(isStored ? 200 : 404, { 'Content-Length': 3_000_000 }).end();
      isStored ||= request.method === 'PUT';
      return isStored ? request.socket.destroy() : response.writeHead(202, { Location: '/up' }).end();
    };
    const upload = against(forgetful, (client) =>
      client.uploadBlob('a', { ...source, read: async () => readerOf(blob) }),
    );
    assert.equal(await upload, 'uploaded');
  });

  it('throw what their source throws', async () => {
    const answer: Answering = (_, response) => response.writeHead(202, { Location: '/up' }).end();
    await assert.rejects(
      against(answer, (client) => client.uploadBlob('a', source)),
      { message: 'not to be read' },
    );
  });
});

function readerOf(bytes: Buffer) {
  const chunks = [bytes];
  return { bytes: bytes.length, next: async () => chunks.shift(), recycle() {}, async [Symbol.asyncDispose]() {} };
}
