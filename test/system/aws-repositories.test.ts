import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ECR, paginateDescribeRepositories } from '@aws-sdk/client-ecr';
import { onCluster } from '../support/cluster-mode.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';

describe('repositories of the ECR API', () => {
  let server: RunningServer;
  let ecr: ECR;
  const unknownRepository =
    "The repository with name 'nobody/made' does not exist in the registry with id '000000000000'";

  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  it('are made with the defaults of ECR and described as they were made', async () => {
    const { repository } = await ecr.createRepository({ repositoryName: 'made/plain' });
    assert.deepEqual(repository, {
      repositoryArn: 'arn:aws:ecr:us-east-1:000000000000:repository/made/plain',
      registryId: '000000000000',
      repositoryName: 'made/plain',
      repositoryUri: `localhost:${server.port}/made/plain`,
      createdAt: repository?.createdAt,
      imageTagMutability: 'MUTABLE',
      imageScanningConfiguration: { scanOnPush: false },
      encryptionConfiguration: { encryptionType: 'AES256' },
    });
    assert.ok(Math.abs(Number(repository?.createdAt) - Date.now()) < 60_000);
    const { repositories } = await ecr.describeRepositories({ repositoryNames: ['made/plain'] });
    assert.deepEqual(repositories, [repository]);
  });

  it('keep every setting they were made with', async () => {
    const settings = {
      repositoryName: 'made/with-all',
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: { encryptionType: 'AES256' },
    } as const;
    const { repository } = await ecr.createRepository({
      ...settings,
      imageTagMutabilityExclusionFilters: [...settings.imageTagMutabilityExclusionFilters],
      tags: [{ Key: 'team', Value: 'blue' }],
    });
    assert.partialDeepStrictEqual(repository, settings);
    const { tags } = await ecr.listTagsForResource({ resourceArn: repository?.repositoryArn });
    assert.deepEqual(tags, [{ Key: 'team', Value: 'blue' }]);
  });

  it('belong to the account that the caller or registryId names, and to the region of the signature', async () => {
    const other = ecrClient(server.url, { accessKeyId: '123456789012', region: 'cn-north-1' });
    const { repository } = await other.createRepository({ repositoryName: 'mine' });
    assert.equal(repository?.repositoryArn, 'arn:aws-cn:ecr:cn-north-1:123456789012:repository/mine');
    assert.match(String(repository?.repositoryUri), /^123456789012\.dkr\.ecr\.cn-north-1\.localhost:\d+\/mine$/);
    await refused(ecr.describeRepositories({ repositoryNames: ['mine'] }), 'RepositoryNotFoundException');
    const elsewhere = ecrClient(server.url, { region: 'cn-north-1' });
    const named = await elsewhere.describeRepositories({ registryId: '123456789012', repositoryNames: ['mine'] });
    assert.equal(named.repositories?.[0]?.registryId, '123456789012');
  });

  it('are made once', async () => {
    await ecr.createRepository({ repositoryName: 'made/once' });
    const message = "The repository with name 'made/once' already exists in the registry with id '000000000000'";
    await refused(ecr.createRepository({ repositoryName: 'made/once' }), 'RepositoryAlreadyExistsException', message);
  });

  it('refuse names, filters and bounds in the words of ECR', async () => {
    const broken = (member: string, constraint: string) =>
      `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`;
    const pattern = '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*';
    const invalid = 'InvalidParameterException';
    const create = (input: object) => ecr.createRepository({ repositoryName: 'never/made', ...input });
    const name = (repositoryName: string | undefined) => create({ repositoryName });
    await refused(name('Upper'), invalid, broken('repositoryName', `must satisfy regular expression '${pattern}'`));
    await refused(name('a'), invalid, broken('repositoryName', 'must have length greater than or equal to 2'));
    await refused(
      name('a'.repeat(257)),
      invalid,
      broken('repositoryName', 'must have length less than or equal to 256'),
    );
    await refused(name(undefined), invalid, broken('repositoryName', 'must not be null'));
    for (const bad of ['a___b', 'a_-b', '_a', '../etc', 'a//b', '/a']) await refused(name(bad), invalid);
    const mutabilities = '[IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]';
    await refused(
      create({ imageTagMutability: 'SOMETIMES' }),
      invalid,
      broken('imageTagMutability', `Member must satisfy enum value set: ${mutabilities}`),
    );
    await refused(
      create({ imageTagMutability: 'MUTABLE_WITH_EXCLUSION' }),
      invalid,
      /^Invalid parameter at 'imageTagMutabilityExclusionFilters' .* can't be null when imageTagMutability is set as MUT/,
    );
    await refused(
      create({ imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'a' }] }),
      invalid,
      /'imageTagMutabilityExclusionFilters'/,
    );
    const maxResults = broken('maxResults', 'Member must have value less than or equal to 1000');
    await refused(ecr.describeRepositories({ maxResults: 1001 }), invalid, maxResults);
    await refused(
      ecr.describeRepositories({ registryId: '12' }),
      invalid,
      broken('registryId', 'Member must satisfy regular expression pattern: [0-9]{12}'),
    );
  });

  it('cannot be encrypted with a key that is not there', async () => {
    const encryptionConfiguration = { encryptionType: 'KMS', kmsKey: 'alias/mine' } as const;
    const call = ecr.createRepository({ repositoryName: 'never/made', encryptionConfiguration });
    // The keys of this server are not those of a bucket's store.
    const { kmsError } = await refused(call, 'KmsException', onCluster ? /--kms aws/ : /'alias\/mine' does not exist/);
    assert.equal(typeof kmsError, 'string');
  });

  it('are described in pages that add up to all', async () => {
    const pager = ecrClient(server.url, { accessKeyId: '222222222222' });
    const names = Array.from({ length: 7 }, (_, index) => `page/r${index}`);
    for (const repositoryName of names.toReversed()) await pager.createRepository({ repositoryName });
    const seen: (string | undefined)[] = [];
    const sizes: number[] = [];
    for await (const page of paginateDescribeRepositories({ client: pager, pageSize: 3 }, {})) {
      sizes.push(page.repositories?.length ?? 0);
      seen.push(...(page.repositories ?? []).map(({ repositoryName }) => repositoryName));
    }
    assert.deepEqual(seen, names);
    assert.deepEqual(sizes, [3, 3, 1]);
  });

  it('refuse tokens nobody handed out, and paging together with names', async () => {
    const invalid = 'InvalidParameterException';
    const { nextToken } = await ecr.describeRepositories({ maxResults: 1 });
    assert.ok(nextToken);
    for (const token of ['', 'garbled', Buffer.from('["DescribeRepositories",1]').toString('base64url')]) {
      await refused(ecr.describeRepositories({ nextToken: token }), invalid, /'nextToken'/);
    }
    await ecr.createRepository({ repositoryName: 'tokens' });
    await refused(ecr.listImages({ repositoryName: 'tokens', nextToken }), invalid, /'nextToken'/);
    await refused(ecr.describeRepositories({ repositoryNames: ['tokens'], maxResults: 5 }), invalid, /'maxResults'/);
    await refused(ecr.describeRepositories({ repositoryNames: ['tokens'], nextToken }), invalid, /'nextToken'/);
  });

  it('fail as a whole when one of the names asked is unknown', async () => {
    const repositoryNames = ['made/plain', 'nobody/made'];
    await refused(ecr.describeRepositories({ repositoryNames }), 'RepositoryNotFoundException', unknownRepository);
  });

  it('are deleted when empty, or by force', async () => {
    await ecr.createRepository({ repositoryName: 'gone/empty' });
    const { repository } = await ecr.deleteRepository({ repositoryName: 'gone/empty' });
    assert.equal(repository?.repositoryName, 'gone/empty');
    await refused(
      ecr.deleteRepository({ repositoryName: 'nobody/made' }),
      'RepositoryNotFoundException',
      unknownRepository,
    );
    await pushImage(server.url, 'gone/full', 'latest', randomImage());
    const message =
      "The repository with name 'gone/full' in registry with id '000000000000' cannot be deleted because it still contains images";
    await refused(ecr.deleteRepository({ repositoryName: 'gone/full' }), 'RepositoryNotEmptyException', message);
    await ecr.deleteRepository({ repositoryName: 'gone/full', force: true });
    await refused(ecr.describeImages({ repositoryName: 'gone/full' }), 'RepositoryNotFoundException');
  });

  it('change their mutability and filters together', async () => {
    const repositoryName = 'made/mutable';
    await ecr.createRepository({ repositoryName });
    const imageTagMutabilityExclusionFilters = [{ filterType: 'WILDCARD' as const, filter: 'v*' }];
    const changed = await ecr.putImageTagMutability({
      repositoryName,
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters,
    });
    assert.partialDeepStrictEqual(changed, {
      registryId: '000000000000',
      repositoryName,
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters,
    });
    const back = await ecr.putImageTagMutability({ repositoryName, imageTagMutability: 'IMMUTABLE' });
    assert.equal(back.imageTagMutabilityExclusionFilters, undefined);
    const unknown = { repositoryName: 'nobody/made', imageTagMutability: 'MUTABLE' } as const;
    await refused(ecr.putImageTagMutability(unknown), 'RepositoryNotFoundException', unknownRepository);
  });

  it('carry resource tags that are added, replaced and taken off by key', async () => {
    const { repository } = await ecr.createRepository({ repositoryName: 'tagged', tags: [{ Key: 'a', Value: '1' }] });
    const resourceArn = repository?.repositoryArn;
    await ecr.tagResource({
      resourceArn,
      tags: [
        { Key: 'a', Value: '2' },
        { Key: 'b', Value: '' },
      ],
    });
    await ecr.untagResource({ resourceArn, tagKeys: ['nobody', 'b'] });
    assert.deepEqual((await ecr.listTagsForResource({ resourceArn })).tags, [{ Key: 'a', Value: '2' }]);
  });

  it('refuse resource tags that cannot be, too many of them, and ARNs of anything else', async () => {
    const { repository } = await ecr.createRepository({ repositoryName: 'tagged/badly' });
    const resourceArn = repository?.repositoryArn;
    for (const Key of ['', 'aws:mine', 'k'.repeat(129)]) {
      const tags = [{ Key, Value: 'v' }];
      const words = 'Tag parameters are invalid';
      await refused(ecr.tagResource({ resourceArn, tags }), 'InvalidTagParameterException', words);
      const call = ecr.createRepository({ repositoryName: 'never/made', tags });
      await refused(call, 'InvalidTagParameterException', words);
    }
    const many = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: 'v' }));
    await refused(ecr.tagResource({ resourceArn, tags: many }), 'TooManyTagsException');
    await refused(ecr.createRepository({ repositoryName: 'never/made', tags: many }), 'TooManyTagsException');
    const words = "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'";
    for (const arn of ['nonsense', 'arn:aws:s3:::bucket', 'arn:aws:ecr:us-east-1:000000000000:image/x']) {
      await refused(ecr.tagResource({ resourceArn: arn, tags: [] }), 'InvalidParameterException', words);
      await refused(ecr.untagResource({ resourceArn: arn, tagKeys: [] }), 'InvalidParameterException', words);
      await refused(ecr.listTagsForResource({ resourceArn: arn }), 'InvalidParameterException', words);
    }
    const unknown = 'arn:aws:ecr:us-east-1:000000000000:repository/nobody/made';
    const notFound = 'RepositoryNotFoundException';
    await refused(ecr.tagResource({ resourceArn: unknown, tags: [] }), notFound, unknownRepository);
    await refused(ecr.untagResource({ resourceArn: unknown, tagKeys: [] }), notFound, unknownRepository);
    await refused(ecr.listTagsForResource({ resourceArn: unknown }), notFound, unknownRepository);
  });
});
