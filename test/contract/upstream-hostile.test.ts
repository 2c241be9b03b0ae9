import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../src/core/values/digest.ts';
import { type Answering, against, clientOf, failure, startHostile } from '../upstreams/hostile-registry.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config: {}, layers: [] });
const digest = digestOf(Buffer.from('a blob'));

const all = async <T>(list: AsyncIterable<T>) => Array.fromAsync(list);

const sendManifest = (response: ServerResponse, body = manifest, headers: Record<string, string> = {}) =>
  response.writeHead(200, { 'Content-Type': ociManifest, ...headers }).end(body);

describe('manifests of an upstream that cannot be trusted', () => {
  it('must have the digest that was asked for, and the one it named for a tag', async () => {
    const lie = digestOf(Buffer.from('something else'));
    await against(
      (_, response) => {
        const headers = { 'Docker-Content-Digest': lie, 'Content-Length': String(manifest.length) };
        sendManifest(response, manifest, headers);
      },
      async (client) => {
        await assert.rejects(
          client.getManifest('a/b', 'latest'),
          failure('invalid', /have the digest .*, not sha256:/),
        );
        await assert.rejects(client.getManifest('a/b', lie), failure('invalid', /have the digest/));
        const whole = await client.getManifest('a/b', digestOf(Buffer.from(manifest)));
        assert.equal(whole !== 'not-modified' && Buffer.from(whole.content).toString(), manifest);
        await assert.rejects(
          client.headManifest('a/b', digestOf(Buffer.from(manifest))),
          failure('invalid', /answers with/),
        );
      },
    );
  });

  it('are read of a tag that the upstream names no digest for, by HEAD and GET', async () => {
    await against(
      (_, response) => sendManifest(response, manifest, { 'Content-Type': 'application/json' }),
      async (client, { asked }) => {
        const expected = { digest: digestOf(Buffer.from(manifest)), mediaType: ociManifest, bytes: manifest.length };
        assert.deepEqual(await client.headManifest('a/b', 'latest'), expected);
        assert.deepEqual(asked, ['HEAD /v2/a/b/manifests/latest', 'GET /v2/a/b/manifests/latest']);
      },
    );
  });

  it('are no HTML, no other JSON and not too large', async () => {
    const html = '<!doctype html><p>Please log in to this network';
    const send = (body: string, headers: Record<string, string>) =>
      against(
        (_, response) => sendManifest(response, body, headers),
        (client) => client.getManifest('a/b', 'latest'),
      );
    await assert.rejects(
      send(html, { 'Content-Type': 'text/html' }),
      failure('invalid', /is HTML and not a JSON object/),
    );
    await assert.rejects(send('[1]', {}), failure('invalid', /not a JSON object/));
    await assert.rejects(send('{"a":1}', { 'Content-Type': 'text/plain' }), failure('invalid', /is no manifest/));
    const large = ' '.repeat(4 * 1024 * 1024 + 1);
    const tooLarge = failure('invalid', /larger than 4194304 bytes/);
    await assert.rejects(send(large, { 'Content-Length': String(large.length) }), tooLarge);
    await assert.rejects(send(large, { 'Transfer-Encoding': 'chunked' }), tooLarge);
  });

  it('are asked for by name, never by a path', async () => {
    await against(
      (_, response) => response.end(),
      async (client, { asked }) => {
        for (const name of ['../secrets', 'a/../b', 'a//b', '', 'a?b', 'a#b', '/a', 'a/', '.', 'a b']) {
          await assert.rejects(client.getManifest(name, 'latest'), failure('invalid', /no repository name/));
          await assert.rejects(all(client.listTags(name)), failure('invalid', /no repository name/));
        }
        for (const reference of ['../x', 'a/b', 'a?b', '', 'sha256:ab']) {
          await assert.rejects(client.getManifest('a', reference), failure('invalid', /is no tag/));
        }
        assert.deepEqual(asked, []);
      },
    );
  });

  it('answer with what the upstream says, in bounds', async () => {
    const answers: [number, Record<string, string>, string, Parameters<typeof failure>][] = [
      [
        404,
        {},
        '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}',
        ['not-found', /404 \(MANIFEST_UNKNOWN: gone\)$/],
      ],
      [403, {}, 'no', ['denied', /answered 403$/]],
      [401, { 'WWW-Authenticate': 'Digest realm="x"' }, '', ['unauthorized', /answered 401$/]],
      [401, { 'WWW-Authenticate': 'Bearer service="x"' }, '', ['unauthorized', /answered 401$/]],
      [401, { 'WWW-Authenticate': 'Basic realm="x"' }, '', ['unauthorized', /answered 401$/]],
      [418, {}, '{"errors":[{"code":"A\\u0007","message":1}]}', ['refused', /answered 418 \(A \)$/]],
      [500, {}, '<html>', ['unavailable', /answered 500$/]],
      [302, {}, '', ['invalid', /answered 302$/]],
      [204, {}, '', ['invalid', /answered 204$/]],
      [400, {}, `{"errors":[{"message":"${'x'.repeat(5000)}"}]}`, ['refused', /\(x{300}\)$/]],
    ];
    for (const [status, headers, body, expected] of answers) {
      await against(
        (_, response) => response.writeHead(status, headers).end(body),
        (client) => assert.rejects(client.getManifest('a', 'b'), failure(...expected)),
      );
    }
  });

  it('are not asked for again after 429, which says how long to wait', async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    for (const [header, seconds] of [
      ['17', 17],
      [inAMinute, 60],
      ['soon', undefined],
      ['9'.repeat(30), 86_400],
    ] as const) {
      await against(
        (_, response) => response.writeHead(429, { 'Retry-After': header }).end(),
        async (client, { asked }) => {
          await assert.rejects(client.getManifest('a', 'b'), (error: { retryAfterSeconds?: number }) => {
            const said = error.retryAfterSeconds;
            assert.ok(seconds === undefined ? said === undefined : Math.abs((said ?? -99) - seconds) <= 2, `${said}`);
            return failure('too-many-requests', /answered 429/)(error);
          });
          assert.equal(asked.length, 1);
        },
      );
    }
  });

  it('are asked for three times of a gateway that is out of order', async () => {
    const broken: Answering[] = [
      (_, response) => response.writeHead(503).end(),
      (request) => request.socket.destroy(),
      (_, response) => response.writeHead(502).end('<html>'),
    ];
    for (const answer of broken) {
      await against(answer, async (client, { asked }) => {
        await assert.rejects(client.getManifest('a', 'b'), failure('unavailable', /failed|50[23]/));
        assert.equal(asked.length, 3);
      });
    }
    await against(
      (_, response, count) => (count < 3 ? response.writeHead(504).end() : sendManifest(response)),
      async (client) => assert.ok(await client.getManifest('a', 'b')),
    );
  });
});

describe('an upstream that does not answer', () => {
  it('is given up when it is silent, before or within its answer', async () => {
    const silent: [Answering, RegExp][] = [
      [() => {}, /no answer within 0.2 s/],
      [(_, response) => response.writeHead(200, { 'Content-Length': 10 }).write('{'), /nothing more came within 0.2 s/],
    ];
    for (const [answer, words] of silent) {
      const ask = against(answer, (client) => client.getManifest('a', 'b'), { idleSeconds: 0.2 });
      await assert.rejects(ask, failure('unavailable', words));
    }
  });

  it('is given up when its answer does not end', async () => {
    const drip: Answering = async (_, response) => {
      while (!response.destroyed) {
        response.write(' ');
        await sleep(20);
      }
    };
    const ask = against(drip, (client) => client.getManifest('a', 'b'), { documentSeconds: 0.3 });
    await assert.rejects(ask, failure('unavailable', /did not end within 0.3 s/));
  });

  it('is not waited for by who has given up', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const isReason = (error: unknown) => error === reason;
    await against(
      (request, response, count) => {
        if (request.url?.includes('blobs')) response.writeHead(200, { 'Content-Length': 10 }).write('a');
        if (count === 2) controller.abort(reason);
      },
      async (client) => {
        const reader = await client.openBlob('a', digest, { signal: controller.signal });
        await reader.next();
        const reading = reader.next();
        await assert.rejects(client.getManifest('a', 'b', { signal: controller.signal }), isReason);
        await assert.rejects(reading, isReason);
        await assert.rejects(client.ping({ signal: controller.signal }), isReason);
      },
      { idleSeconds: 20 },
    );
  });

  it('is not waited for in the middle of an answer either', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const begin: Answering = (_, response) => {
      response
        .writeHead(200, { 'Content-Length': 10 })
        .write('{', () => setTimeout(() => controller.abort(reason), 50));
    };
    await against(
      begin,
      async (client) => {
        const asking = client.getManifest('a', 'b', { signal: controller.signal });
        await assert.rejects(asking, (error) => error === reason);
      },
      { idleSeconds: 20 },
    );
  });

  it('is named when it cannot be reached, is no HTTP or no registry', async () => {
    const gone = await startHostile(() => {});
    await gone[Symbol.asyncDispose]();
    await using client = clientOf(gone);
    await assert.rejects(client.ping(), failure('unavailable', /login: the connection failed \(ECONNREFUSED\)/));
    const nonsense: Answering = (request) => request.socket.end('SSH-2.0-OpenSSH\r\n');
    await assert.rejects(
      against(nonsense, (other) => other.ping()),
      failure('invalid', /not HTTP/),
    );
    const site: Answering = (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Hello');
    await assert.rejects(
      against(site, (other) => other.ping()),
      failure('invalid', /not as a registry does/),
    );
    const missing: Answering = (_, response) => response.writeHead(404).end();
    await assert.rejects(
      against(missing, (other) => other.ping()),
      failure('invalid', /it is no registry/),
    );
  });
});

describe('lists of an upstream that cannot be trusted', () => {
  const list =
    (link: string, body: object = { tags: ['a'] }): Answering =>
    (_, response) =>
      response.writeHead(200, { 'Content-Type': 'application/json', Link: link }).end(JSON.stringify(body));

  it('stay with the upstream and lead on', async () => {
    const tags = (answer: Answering) => against(answer, (client) => all(client.listTags('a')));
    await assert.rejects(
      tags(list('<http://elsewhere.test/v2/a/tags/list>; rel="next"')),
      failure('invalid', /elsewhere/),
    );
    await assert.rejects(tags(list('<//169.254.169.254/x>; rel=next')), failure('invalid', /goes on at 169/));
    await assert.rejects(tags(list('</v2/a/tags/list?n=1000>; rel="next"')), failure('invalid', /circles/));
    await assert.rejects(tags(list('<http://[>; rel="next"')), failure('invalid', /no URL/));
    await assert.rejects(tags(list('', { tags: [1] })), failure('invalid', /'tags' is no list of names/));
    await assert.rejects(tags(list('', { tags: {} })), failure('invalid', /'tags' is no list/));
    assert.deepEqual(await tags(list('', { tags: null })), []);
    assert.deepEqual(await tags(list('<http://elsewhere.test/>; rel="help"')), ['a']);
  });

  it('are asked for page by page', async () => {
    const pages: Answering = (request, response) => {
      const last = new URL(request.url ?? '', 'http://x').searchParams.get('last');
      if (last === null) return list('</v2/a/tags/list?last=a,b>; rel="next"')(request, response, 0);
      return response.end(JSON.stringify({ tags: [last] }));
    };
    await against(pages, async (client, { asked }) => {
      for await (const tag of client.listTags('a')) assert.equal(asked.length, tag === 'a' ? 1 : 2);
    });
    await against(pages, async (client) => assert.deepEqual(await all(client.listTags('a')), ['a', 'a,b']));
  });

  it('of referrers are indexes of descriptors, or what the tag holds where there is no such list', async () => {
    const entry = { mediaType: ociManifest, digest, size: 7, artifactType: 'x/y', annotations: { a: 'b' } };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [{ ...entry, more: 1 }] });
    const tag = digest.replace(':', '-');
    const byTag: Answering = ({ url }, response) =>
      url?.endsWith(`/manifests/${tag}`)
        ? response.writeHead(200, { 'Content-Type': ociIndex }).end(index)
        : response.writeHead(404).end('404 page not found');
    const referrers = (answer: Answering) => against(answer, (client) => all(client.referrers('a', digest)));
    assert.deepEqual(await referrers(byTag), [entry]);
    assert.deepEqual(await referrers((_, response) => response.writeHead(404).end()), []);
    const send = (body: string, type = ociIndex) =>
      referrers((_, response) => response.writeHead(200, { 'Content-Type': type }).end(body));
    assert.deepEqual(await send(index), [entry]);
    await assert.rejects(send('<html>', 'text/html'), failure('invalid', /is HTML and not/));
    await assert.rejects(send('{}', 'application/json'), failure('invalid', /is application\/json, not/));
    await assert.rejects(send('{"manifests":[{}]}'), failure('invalid', /is no descriptor/));
    await assert.rejects(send('{"manifests":[null]}'), failure('invalid', /is no descriptor/));
  });
});
