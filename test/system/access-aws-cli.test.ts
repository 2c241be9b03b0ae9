import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { findProgram, type Ran, runAny } from '../support/programs.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { startWebIdentityIssuer, type WebIdentityIssuer } from '../support/web-identity-issuer.ts';
import { type AccessKeyPair, type EnforcedServer, httpAs, startEnforcedServer } from './access-server.ts';

const aws = findProgram('aws');
const skip = await whyNot();
const ACCOUNT = '000000000000';

describe('the AWS CLI where access is enforced', { skip }, () => {
  let enforced: EnforcedServer;
  let folder: TemporaryFolder;
  let issuer: WebIdentityIssuer;
  let alice: AccessKeyPair;

  before(async () => {
    enforced = await startEnforcedServer();
    folder = await temporaryFolder('gantry-cli-');
    issuer = await startWebIdentityIssuer();
    await enforced.ecr(enforced.rootKey).createRepository({ repositoryName: 'team/app' });
    alice = await enforced.userWith('alice', 'PowerUser');
    const host = issuer.issuer.replace('http://', '');
    const { gantry } = enforced;
    await gantry('provider', 'add', issuer.issuer, '--audience', 'sts.amazonaws.com');
    const Federated = `arn:aws:iam::${ACCOUNT}:oidc-provider/${host}`;
    await makeRole('builder', [
      { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/alice` }, Action: 'sts:AssumeRole' },
      {
        Effect: 'Allow',
        Principal: { Federated },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringLike: { [`${host}:sub`]: 'repo:octo/*' } },
      },
    ]);
  });
  after(async () => {
    await enforced[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  async function makeRole(name: string, statements: readonly object[]): Promise<void> {
    const file = `${folder.path}/${name}.json`;
    writeFileSync(file, JSON.stringify({ Version: '2012-10-17', Statement: statements }));
    await enforced.gantry('role', 'create', name, '--trust-policy', file);
    await enforced.gantry('policy', 'attach', '--role', name, '--managed', 'PullOnly');
  }

  const environmentOf = ({ accessKeyId, secretAccessKey, sessionToken }: AccessKeyPair) => ({
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
  });
  const webIdentity = async (sub: string) => {
    const file = `${folder.path}/token`;
    writeFileSync(file, await issuer.token(new Date(), { sub }));
    const AWS_ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/builder`;
    return { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME: 'ci' };
  };
  const runCli = (env: Record<string, string>, words: readonly string[]): Promise<Ran> =>
    runAny([aws ?? '', ...words, '--output', 'json'], {
      env: {
        HOME: folder.path,
        AWS_ENDPOINT_URL: enforced.server.url,
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_PAGER: '',
        AWS_MAX_ATTEMPTS: '1',
        AWS_EC2_METADATA_DISABLED: 'true',
        ...env,
      },
    });
  const said = async (env: Record<string, string>, ...words: string[]) => {
    const { code, stdout, stderr } = await runCli(env, words);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const refusal = async (env: Record<string, string>, ...words: string[]) => {
    const { code, stderr } = await runCli(env, words);
    assert.notEqual(code, 0);
    return stderr;
  };

  it('is told who it is, and why not', async () => {
    const identity = JSON.parse(await said(environmentOf(alice), 'sts', 'get-caller-identity'));
    assert.equal(identity.Arn, `arn:aws:iam::${ACCOUNT}:user/alice`);
    const forged = environmentOf({ ...alice, secretAccessKey: 'wrong' });
    assert.match(await refusal(forged, 'sts', 'get-caller-identity'), /\(SignatureDoesNotMatch\)/);
    assert.match(await refusal(forged, 'ecr', 'describe-repositories'), /\(InvalidSignatureException\)/);
    const delete_ = ['ecr', 'delete-repository', '--repository-name', 'team/app'];
    assert.match(
      await refusal(environmentOf(alice), ...delete_),
      /\(AccessDeniedException\) .*: User: arn:aws:iam::000000000000:user\/alice is not authorized to perform: ecr:DeleteRepository on resource: arn:aws:ecr:us-east-1:000000000000:repository\/team\/app because no identity-based policy allows the ecr:DeleteRepository action/,
    );
  });

  it('sets and reads policies', async () => {
    const root = environmentOf(enforced.rootKey);
    const text = '{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:ListImages"}]}';
    const named = ['--repository-name', 'team/app'];
    await said(root, 'ecr', 'set-repository-policy', ...named, '--policy-text', text);
    assert.equal(JSON.parse(await said(root, 'ecr', 'get-repository-policy', ...named)).policyText, text);
    await said(root, 'ecr', 'delete-repository-policy', ...named);
    assert.match(
      await refusal(root, 'ecr', 'get-repository-policy', ...named),
      /\(RepositoryPolicyNotFoundException\)/,
    );
    await said(
      root,
      'ecr',
      'put-registry-policy',
      '--policy-text',
      text.replace('"Principal"', '"Resource":"*","Principal"'),
    );
    await said(root, 'ecr', 'delete-registry-policy');
  });

  it('assumes a role', async () => {
    const asked = ['--role-arn', `arn:aws:iam::${ACCOUNT}:role/builder`, '--role-session-name', 'by-hand'];
    const may = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' };
    const file = `${folder.path}/may.json`;
    writeFileSync(file, JSON.stringify({ Version: '2012-10-17', Statement: [may] }));
    await enforced.gantry('policy', 'attach', '--user', 'alice', '--document', file, '--name', 'assume');
    const { Credentials: given } = JSON.parse(await said(environmentOf(alice), 'sts', 'assume-role', ...asked));
    assert.ok(new Date(given.Expiration).getTime() > Date.now());
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = given;
    const session = environmentOf({ accessKeyId, secretAccessKey, sessionToken });
    const identity = JSON.parse(await said(session, 'sts', 'get-caller-identity'));
    assert.equal(identity.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/builder/by-hand`);
    assert.match(
      await refusal(session, 'ecr', 'create-repository', '--repository-name', 'new'),
      /\(AccessDeniedException\)/,
    );
  });

  it('needs no stored secret where its host has a web identity token, and docker can log in by it', async () => {
    // The refusal first: the CLI keeps the credentials it was given.
    const foreign = await webIdentity('repo:evil/app:ref:refs/heads/main');
    assert.match(
      await refusal(foreign, 'ecr', 'get-login-password'),
      /\(AccessDenied\).*Not authorized to perform sts:AssumeRoleWithWebIdentity/,
    );
    const env = await webIdentity('repo:octo/app:ref:refs/heads/main');
    const password = (await said(env, 'ecr', 'get-login-password')).trim();
    assert.equal((await httpAs(password, `${enforced.server.url}/v2/`)).status, 200);
  });
});

/** How it finds the server is told in AWS_ENDPOINT_URL, for the calls that it makes by itself, too. */
async function whyNot(): Promise<string | false> {
  if (aws === undefined) return 'aws cannot be found';
  const { stdout, stderr } = await runAny([aws, '--version']);
  const [, major, minor] = /^aws-cli\/(\d+)\.(\d+)/.exec(stdout || stderr) ?? [];
  const isKnown = Number(minor) >= (major === '1' ? 29 : 13);
  return isKnown ? false : 'this AWS CLI is older than AWS_ENDPOINT_URL';
}
