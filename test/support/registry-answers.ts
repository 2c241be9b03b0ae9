import assert from 'node:assert/strict';
import { awsCall } from './aws-call.ts';
import { http } from './http.ts';

/** Everything that a server admitting everybody tells of its default registry, but for what it is called by. */
export async function answersOf(url: string): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  const ask = async (operation: string, input: object = {}) => {
    const body = (await awsCall(url, operation, input)).json();
    answers[`${operation} ${JSON.stringify(input)}`] = plain(body, url);
    return body;
  };
  for (const operation of OF_REGISTRY) await ask(operation);
  await ask('GetAccountSetting', { name: 'REGISTRY_POLICY_SCOPE' });
  const { repositories } = await ask('DescribeRepositories');
  for (const { repositoryName, repositoryArn } of repositories) {
    for (const operation of OF_REPOSITORY) await ask(operation, { repositoryName });
    await ask('ListTagsForResource', { resourceArn: repositoryArn });
    await ask('DescribeImages', { repositoryName, filter: { imageStatus: 'ANY' } });
    const { imageIds } = await ask('ListImages', { repositoryName, filter: { imageStatus: 'ANY' } });
    for (const { imageDigest } of imageIds) {
      const imageId = { imageDigest };
      const { images } = await ask('BatchGetImage', { repositoryName, imageIds: [imageId] });
      await ask('ListImageReferrers', { repositoryName, subjectId: imageId });
      const manifest = images[0] && JSON.parse(images[0].imageManifest);
      for (const { digest } of [manifest?.config, ...(manifest?.layers ?? [])].filter((one) => one !== undefined)) {
        answers[`${repositoryName} ${digest}`] = (await pulled(url, repositoryName, digest)).toString('base64');
      }
    }
    const tags = await http(`${url}/v2/${repositoryName}/tags/list`);
    answers[`tags of ${repositoryName}`] = tags.json();
  }
  return answers;
}

const OF_REGISTRY = [
  'DescribeRegistry',
  'GetRegistryPolicy',
  'DescribePullThroughCacheRules',
  'DescribeRepositoryCreationTemplates',
  'ListPullTimeUpdateExclusions',
];

const OF_REPOSITORY = ['GetRepositoryPolicy', 'GetLifecyclePolicy'];

/** The bytes of a layer, wherever the server sends for them. */
export async function pulled(url: string, repository: string, digest: string): Promise<Buffer> {
  const answer = await http(`${url}/v2/${repository}/blobs/${digest}`);
  const given = answer.status === 307 ? await http(String(answer.headers.location)) : answer;
  assert.equal(given.status, 200, `${repository} ${digest}: ${given.text()}`);
  return given.body;
}

/** Without the server's address, and the times of pulls, of which asking is one. */
function plain(body: unknown, url: string): unknown {
  const text = JSON.stringify(body, (name, value) => (name === 'lastRecordedPullTime' ? undefined : value));
  // With its host alone: the same digits may be in a digest.
  return JSON.parse(text.replaceAll(new URL(url).host, 'HOST').replaceAll(`localhost:${new URL(url).port}`, 'HOST'));
}
