import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { type Access, type Credentials, environmentOf, policyOf, prepareAccess, until } from '../support/access.ts';
import { writeBuildContext } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { startDockerDaemon } from '../support/docker-daemon.ts';
import { findProgram } from '../support/programs.ts';

const options = { programs: ['aws'], mustBeInCi: true, isEnforced: true };

await describeClient('AWS CLI where access is enforced', options, (client) => {
  let access: Access;
  let pusher: Credentials;
  let puller: Credentials;
  before(async () => {
    access = prepareAccess(client.server);
    pusher = await access.user('pusher', { managed: 'AmazonEC2ContainerRegistryPowerUser' });
    puller = await access.user('puller', { managed: 'AmazonEC2ContainerRegistryPullOnly' });
  });

  const command = (words: readonly string[]) => ['aws', '--endpoint-url', client.server.url, ...words];
  const aws = (who: Credentials, ...words: string[]) => client.run(command(words), { env: environmentOf(who) });
  const named = (name: string) => ['--repository-name', name];
  async function refused(who: Credentials, why: RegExp, ...words: string[]): Promise<void> {
    const { code, stdout, stderr } = await client.runAny(command(words), { env: environmentOf(who) });
    assert.notEqual(code, 0, stdout);
    assert.match(stderr, why);
  }

  it('shows every user who it is', async () => {
    const { Arn } = JSON.parse(await aws(puller, 'sts', 'get-caller-identity', '--output', 'json'));
    assert.equal(Arn, 'arn:aws:iam::000000000000:user/puller');
  });

  it('is told in the words of AWS what is wrong with its credentials', async () => {
    const list = ['ecr', 'describe-repositories'];
    const ofNobody = { ...pusher, accessKeyId: 'AKIAZZZZZZZZZZZZZZZZ' };
    const wrong = { ...pusher, secretAccessKey: puller.secretAccessKey };
    const borrowed = { ...pusher, sessionToken: 'none' };
    await refused(
      ofNobody,
      /\(UnrecognizedClientException\).*security token included in the request is invalid/,
      ...list,
    );
    await refused(wrong, /\(InvalidSignatureException\).*signature we calculated does not match/, ...list);
    await refused(borrowed, /\((UnrecognizedClient|InvalidSignature)Exception\)/, ...list);
    const denial =
      /\(AccessDeniedException\).*User: arn:aws:iam::000000000000:user\/pusher is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:000000000000:repository\/new because no identity-based policy allows the ecr:CreateRepository action/;
    await refused(pusher, denial, 'ecr', 'create-repository', ...named('new'));
  });

  it('works with the session of a role, and with what its session policy leaves', async () => {
    const trust = policyOf({
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::000000000000:user/puller' },
      Action: 'sts:AssumeRole',
    });
    await access.gantry(['role', 'create', 'reader', '--trust-policy', '-'], trust);
    const managed = 'AmazonEC2ContainerRegistryReadOnly';
    await access.gantry(['policy', 'attach', '--role', 'reader', '--managed', managed]);
    const role = ['--role-arn', 'arn:aws:iam::000000000000:role/reader', '--role-session-name', 'cli'];
    const assumed = async (...more: string[]): Promise<Credentials> => {
      const answer = JSON.parse(await aws(puller, 'sts', 'assume-role', ...role, ...more, '--output', 'json'));
      const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials;
      return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    };
    await aws(await assumed(), 'ecr', 'describe-repositories');
    const policy = policyOf({ Effect: 'Allow', Action: 'ecr:ListImages', Resource: '*' });
    const limited = await assumed('--policy', policy);
    await refused(limited, /because no session policy allows/, 'ecr', 'describe-repositories');
    await refused(pusher, /\(AccessDenied\)/, 'sts', 'assume-role', ...role);
  });

  it('sets the policy of a repository, which then lets in whom it names', async () => {
    await aws(access.root, 'ecr', 'create-repository', ...named('shared'));
    await refused(puller, /AccessDeniedException/, 'ecr', 'list-images', ...named('shared'));
    const file = join(client.home, 'policy.json');
    const Principal = { AWS: 'arn:aws:iam::000000000000:user/puller' };
    writeFileSync(file, policyOf({ Effect: 'Allow', Principal, Action: 'ecr:ListImages' }));
    const policy = ['--policy-text', `file://${file}`];
    await aws(access.root, 'ecr', 'set-repository-policy', ...named('shared'), ...policy);
    await aws(puller, 'ecr', 'list-images', ...named('shared'));
    await refused(puller, /AccessDeniedException/, 'ecr', 'describe-images', ...named('shared'));
  });

  const canRunDocker =
    process.getuid?.() === 0 && ['dockerd', 'docker', 'busybox'].every((name) => findProgram(name) !== undefined);
  it('logs docker in, until its key is disabled', {
    skip: canRunDocker ? false : 'needs root and dockerd',
  }, async () => {
    await using daemon = await startDockerDaemon();
    const reference = `${client.server.host}/cli/app`;
    const folder = join(client.home, 'context');
    writeBuildContext(folder);
    for (const tag of ['v1', 'v2']) await daemon.docker(['build', '--quiet', '--tag', `${reference}:${tag}`, folder]);
    const logIn = async (who: Credentials) => {
      const input = await aws(who, 'ecr', 'get-login-password');
      await daemon.docker(['login', '--username', 'AWS', '--password-stdin', client.server.host], { input });
    };
    const isRefused = async (words: readonly string[], why: RegExp) => {
      const { code, stderr } = await daemon.dockerAny(words);
      assert.notEqual(code, 0);
      assert.match(stderr, why);
    };

    await aws(access.root, 'ecr', 'create-repository', ...named('cli/app'));
    await logIn(pusher);
    await daemon.docker(['push', `${reference}:v1`]);
    await logIn(puller);
    await daemon.docker(['rmi', '--force', `${reference}:v1`]);
    await daemon.docker(['pull', `${reference}:v1`]);
    await isRefused(['push', `${reference}:v2`], /denied|not authorized|403/);

    await access.gantry(['key', 'disable', puller.accessKeyId]);
    await until(async () => (await daemon.dockerAny(['pull', `${reference}:v1`])).code !== 0);
    await isRefused(['pull', `${reference}:v1`], /unauthorized|denied|no basic auth|401/);
    await refused(puller, /UnrecognizedClientException/, 'ecr', 'get-login-password');
    await access.gantry(['key', 'enable', puller.accessKeyId]);
    await until(async () => (await daemon.dockerAny(['pull', `${reference}:v1`])).code === 0);
  });
});
