import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type HttpAnswer, http } from '../support/http.ts';
import { pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';

describe('lists over /v2/', () => {
  let server: RunningServer;
  const tags = ['0', '1.10', '1.9', 'B', '_', 'a', 'latest', 'v1'];
  const names = ['list/a', 'list/a-b', 'list/a/b', 'list/c'];

  before(async () => {
    server = await startServer();
    const image = randomImage();
    await pushImage(server.url, 'list/c', 'latest', image);
    for (const tag of tags.toReversed()) {
      assertStatus(await pushManifest(server.url, 'list/c', tag, image.manifest, image.mediaType), 201);
    }
    for (const name of names) await pushImage(server.url, name, 'latest', image);
  });
  after(() => server[Symbol.asyncDispose]());

  const lists = {
    tags: { path: '/v2/list/c/tags/list', all: tags, of: (answer: HttpAnswer): string[] => answer.json().tags },
    catalog: { path: '/v2/_catalog', all: names, of: (answer: HttpAnswer): string[] => answer.json().repositories },
  };
  for (const [what, { path, all, of }] of Object.entries(lists)) {
    const list = (query = '') => http(`${server.url}${path}${query}`);

    it(`give the ${what} in lexical order`, async () => {
      const answer = await list();
      assertStatus(answer, 200);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.deepEqual(of(answer), all);
      assert.equal(answer.headers.link, undefined);
    });

    for (const n of [1, 3, all.length - 1]) {
      it(`give the ${what} in pages of ${n} that link to each other`, async () => {
        const found: string[] = [];
        let next: string | undefined = `${path}?n=${n}`;
        while (next !== undefined) {
          const answer: HttpAnswer = await http(`${server.url}${next}`);
          assertStatus(answer, 200);
          assert.ok(of(answer).length <= n);
          found.push(...of(answer));
          next = /^<(\/v2\/.*)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
        }
        assert.deepEqual(found, all);
      });
    }

    it(`give the last page of the ${what} without a link`, async () => {
      assert.equal((await list(`?n=${all.length}`)).headers.link, undefined);
      assert.equal((await list('?n=100000')).headers.link, undefined);
    });

    it(`begin the ${what} after any text`, async () => {
      const after = `${all[1]}!`;
      assert.deepEqual(of(await list(`?last=${encodeURIComponent(after)}`)), all.slice(2));
      assert.deepEqual(of(await list('?last=zzz')), []);
    });

    it(`give none of the ${what} when none are asked for`, async () => {
      const answer = await list('?n=0');
      assertStatus(answer, 200);
      assert.deepEqual(of(answer), []);
      assert.equal(answer.headers.link, undefined);
    });

    for (const n of ['-1', 'x', '1.5', '1e3', '']) {
      it(`refuse '${n}' as a number of ${what}`, async () => {
        assertOciError(await list(`?n=${n}`), 400, 'PAGINATION_NUMBER_INVALID');
      });
    }
  }

  it('name the repository whose tags they give', async () => {
    assert.equal((await http(`${server.url}/v2/list/c/tags/list`)).json().name, 'list/c');
  });

  it('of a repository that is not there are NAME_UNKNOWN', async () => {
    for (const query of ['', '?n=0']) {
      assertOciError(await http(`${server.url}/v2/nobody/has/tags/list${query}`), 404, 'NAME_UNKNOWN');
    }
  });
});
