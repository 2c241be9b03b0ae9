import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filterSettings, wantsEvent } from './event-filter.ts';
import type { RegistryEvent } from './registry-event.ts';

const registry = { accountId: '111122223333', region: 'us-east-1' };
const pushed: RegistryEvent = {
  kind: 'image-pushed',
  repositoryName: 'team/app',
  digest: 'sha256:00',
  mediaType: '',
};
const none = { detailTypes: [], repositories: [], accounts: [] };

const wants = (filter: Partial<typeof none | Record<keyof typeof none, string[]>>, event: RegistryEvent = pushed) =>
  wantsEvent({ settings: filterSettings({ ...none, ...filter }) }, registry, event);

describe('the filter of a target', () => {
  it('asks for everything when it is empty', () => {
    assert.deepEqual(filterSettings(none), {});
    assert.equal(wants({}), true);
  });

  it('asks for detail types, one of them', () => {
    const referrer = { ...pushed, subjectDigest: 'sha256:11' } as const;
    const detailTypes = ['ECR Referrer Action', 'ECR Lifecycle Policy Action'];
    assert.equal(wants({ detailTypes }), false);
    assert.equal(wants({ detailTypes }, referrer), true);
    assert.equal(wants({ detailTypes: ['ECR Image Action'] }, referrer), false);
  });

  it('asks for repositories by patterns of their whole names', () => {
    assert.equal(wants({ repositories: ['team/*'] }), true);
    assert.equal(wants({ repositories: ['other', '*/app'] }), true);
    assert.equal(wants({ repositories: ['team'] }), false);
    assert.equal(wants({ repositories: ['app*'] }), false);
  });

  it('asks for accounts', () => {
    assert.equal(wants({ accounts: ['000000000000', '111122223333'] }), true);
    assert.equal(wants({ accounts: ['000000000000'] }), false);
  });

  it('asks for all that it says at once', () => {
    assert.equal(wants({ repositories: ['team/*'], accounts: ['000000000000'] }), false);
    assert.equal(
      wants({ repositories: ['team/*'], accounts: ['111122223333'], detailTypes: ['ECR Image Action'] }),
      true,
    );
  });
});
