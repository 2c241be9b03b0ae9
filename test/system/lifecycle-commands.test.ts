import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { blobOf, descriptor, mediaTypes, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';
import { gantryOn, refusalOn } from './gantry-command.ts';
import { keepNewest, policyText } from './lifecycle-policies.ts';

const repositoryName = 'some/image';

describe('gantry lifecycle, beside a running server', () => {
  it('explains every image, then takes what it said it would', async () => {
    await using server = await startServer();
    const [gantry, refusal] = [gantryOn(server.data), refusalOn(server.data)];
    const ecr = ecrClient(server.url);
    const images = [randomImage(), randomImage(), randomImage()];
    for (const [place, image] of images.entries()) await pushImage(server.url, repositoryName, `v${place}`, image);

    assert.match(
      await refusal('lifecycle', 'explain', '--repository', 'no/such'),
      /no repository no\/such in us-east-1/,
    );
    const explain = ['lifecycle', 'explain', '--repository', repositoryName] as const;
    assert.match(
      await refusal(...explain),
      /no lifecycle policy; aws ecr put-lifecycle-policy --repository-name some\/image/,
    );
    assert.match(await refusal('lifecycle', 'run', '--repository', repositoryName), /no lifecycle policy/);
    const none = 'No repository of account 000000000000 in us-east-1 has a lifecycle policy.\n';
    assert.equal(await gantry('lifecycle', 'run'), none);

    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: policyText(keepNewest(7, ['v*'], 1)) });
    const explained = (await gantry(...explain)).trimEnd().split('\n');
    assert.match(explained[0]!, /^IMAGE +TAGS +PUSHED +OUTCOME +RULE +WHY$/);
    const row = (place: number, outcome: string, number: number) =>
      new RegExp(
        `^${images[place]?.manifest.digest.slice(0, 19)} +v${place} +[-0-9]+ [:0-9]+ +${outcome} +7 +rule 7 keeps the newest image with a tag matching v\\*; this one is number ${number} by push time$`,
      );
    assert.match(explained[1]!, row(2, 'kept', 1));
    assert.match(explained[2]!, row(1, 'expires', 2));
    assert.match(explained[3]!, row(0, 'expires', 3));
    const details = JSON.parse(await gantry(...explain, '--json'));
    assert.partialDeepStrictEqual(details[1], {
      digest: images[1]?.manifest.digest,
      tags: ['v1'],
      storageClass: 'STANDARD',
      outcome: 'expires',
      rulePriority: 7,
    });
    assert.equal((await ecr.describeImages({ repositoryName })).imageDetails?.length, 3);

    assert.equal(await gantry('lifecycle', 'run'), 'some/image: 2 expired, 0 archived of 3 images.\n');
    const { imageDetails } = await ecr.describeImages({ repositoryName });
    assert.deepEqual(
      imageDetails?.map(({ imageDigest }) => imageDigest),
      [images[2]?.manifest.digest],
    );
    const { lastEvaluatedAt } = await ecr.getLifecyclePolicy({ repositoryName });
    assert.ok(Math.abs(Number(lastEvaluatedAt) - Date.now()) < 60_000);
    const [report] = JSON.parse(await gantry('lifecycle', 'run', '--repository', repositoryName, '--json'));
    assert.partialDeepStrictEqual(report, { repositoryName, images: 1, expired: 0, transitioned: 0, failed: 0 });

    const trail = (await readFile(join(server.data, 'audit.jsonl'), 'utf8')).trim().split('\n');
    const runs = trail.map((line) => JSON.parse(line)).filter(({ eventName }) => eventName === 'RunLifecyclePolicy');
    assert.deepEqual(
      runs.map(({ eventSource, requestParameters }) => [eventSource, requestParameters.expired]),
      [
        ['ecr.amazonaws.com', 2],
        ['ecr.amazonaws.com', 0],
      ],
    );
  });

  it('leaves children of an index that stays, and says so', async () => {
    await using server = await startServer();
    const gantry = gantryOn(server.data);
    const child = randomImage();
    await pushImage(server.url, repositoryName, 'child', child);
    const manifests = [descriptor(child.mediaType, child.manifest)];
    const index = blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    await pushManifest(server.url, repositoryName, 'multi', index, mediaTypes.index);
    const rule = keepNewest(1, ['*'], 1);
    await ecrClient(server.url).putLifecyclePolicy({ repositoryName, lifecyclePolicyText: policyText(rule) });
    assert.equal(
      await gantry('lifecycle', 'run'),
      'some/image: 0 expired, 0 archived of 2 images.\n' +
        '  1 image stayed, since an index lists them; they go once it has gone:\n' +
        `    ${child.manifest.digest} (rule 1)\n`,
    );
  });

  it('runs by itself while the server serves, as often as it is told', async () => {
    await using server = await startServer({ args: ['--lifecycle-interval-seconds', '1'] });
    const ecr = ecrClient(server.url);
    for (const tag of ['v1', 'v2']) await pushImage(server.url, repositoryName, tag, randomImage());
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: policyText(keepNewest(1, ['v*'], 1)) });
    const evaluated = async () => Number((await ecr.getLifecyclePolicy({ repositoryName })).lastEvaluatedAt);
    while ((await evaluated()) === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    const { imageIds } = await ecr.listImages({ repositoryName });
    assert.deepEqual(
      imageIds?.map(({ imageTag }) => imageTag),
      ['v2'],
    );
  });

  it('takes what ECR does not, when it is told to', async () => {
    await using server = await startServer({ args: ['--lifecycle-extensions'] });
    const ecr = ecrClient(server.url);
    for (const tag of ['v1', 'keep', 'v2']) await pushImage(server.url, repositoryName, tag, randomImage());
    const rule = keepNewest(1, ['*', '!keep'], 1);
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: policyText(rule) });
    const said = await gantryOn(server.data)('lifecycle', 'run');
    assert.equal(said, 'some/image: 1 expired, 0 archived of 3 images.\n');
    const { imageIds } = await ecr.listImages({ repositoryName });
    assert.deepEqual(imageIds?.map(({ imageTag }) => imageTag).sort(), ['keep', 'v2']);
  });
});
