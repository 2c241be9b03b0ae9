import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchPath } from './paths.ts';

describe('a path under /v2/', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const found: readonly [path: string, resource: string, name: string | undefined, parameter: string][] = [
    ['/v2/', 'version', undefined, ''],
    ['/v2', 'version', undefined, ''],
    ['/v2/_catalog', 'catalog', undefined, ''],
    ['/v2/a/tags/list', 'tags', 'a', ''],
    ['/v2/a/b/c/tags/list', 'tags', 'a/b/c', ''],
    ['/v2/a/manifests/latest', 'manifest', 'a', 'latest'],
    [`/v2/a/b/manifests/${digest}`, 'manifest', 'a/b', digest],
    [`/v2/a/manifests/${digest.replace(':', '%3A')}`, 'manifest', 'a', digest],
    ['/v2/a/manifests/', 'manifest', 'a', ''],
    [`/v2/a/blobs/${digest}`, 'blob', 'a', digest],
    ['/v2/a/blobs/uploads/', 'uploads', 'a', ''],
    ['/v2/a/blobs/uploads', 'uploads', 'a', ''],
    ['/v2/a/blobs/uploads/1-2', 'upload', 'a', '1-2'],
    [`/v2/a/referrers/${digest}`, 'referrers', 'a', digest],
    // names made of the words that name resources
    ['/v2/a/tags/manifests/latest', 'manifest', 'a/tags', 'latest'],
    ['/v2/manifests/manifests/manifests', 'manifest', 'manifests', 'manifests'],
    ['/v2/tags/list/tags/list', 'tags', 'tags/list', ''],
    ['/v2/blobs/uploads/blobs/uploads/', 'uploads', 'blobs/uploads', ''],
    [`/v2/a/blobs/uploads/blobs/${digest}`, 'blob', 'a/blobs/uploads', digest],
    ['/v2/_catalog/tags/list', 'tags', '_catalog', ''],
    // names that are none, left for the check that says so
    ['/v2//tags/list', 'tags', '', ''],
    ['/v2//blobs/uploads/', 'uploads', '', ''],
    ['/v2/tags/list', 'tags', '', ''],
    ['/v2/manifests/latest', 'manifest', '', 'latest'],
    ['/v2/blobs/uploads/', 'uploads', '', ''],
    ['/v2/a//b/tags/list', 'tags', 'a//b', ''],
    ['/v2/../a/tags/list', 'tags', '../a', ''],
    ['/v2/a%2Fb/tags/list', 'tags', 'a%2Fb', ''],
  ];
  for (const [path, resource, repositoryName, parameter] of found) {
    it(`${path} is ${resource}`, () => {
      assert.deepEqual(matchPath(path), { resource, repositoryName, parameter });
    });
  }

  const unknown = [
    '',
    '/',
    '/v1/',
    '/v2a',
    '/v20/a/tags/list',
    '/v2/a',
    '/v2/a/',
    '/v2/a/b',
    '/v2/uploads/x',
    '/v2/a/uploads/x',
    '/v2/a/tags/other',
    '/v2/a/tags/list/',
    '/v2/a/manifests/%zz',
    '/v2/_catalog/',
  ];
  for (const path of unknown) it(`${JSON.stringify(path)} is nothing`, () => assert.equal(matchPath(path), undefined));
});
