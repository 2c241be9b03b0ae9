import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  ACCOUNT,
  type Access,
  assumeRole,
  basic,
  type Credentials,
  ecrCall,
  passwordOf,
  policyOf,
  prepareAccess,
  startEnforcedServer,
  until,
} from '../support/access.ts';
import type { HttpAnswer } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { checkout, type RunningServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { arnOf, type Tried } from './access-matrix-operations.ts';

/** Who tries to get in. All but the strangers have a true key, and the users but `guest` may do everything by a policy of their own. */
export const MEMBERS = ['allowed', 'guest', 'denied', 'barred', 'foreign'] as const;

export type Member = (typeof MEMBERS)[number];

/** One server, and everybody who tries to get in. */
export interface World extends AsyncDisposable {
  readonly server: RunningServer;
  readonly root: Credentials;
  /**
   * `allowed` by its own policy; `guest` by those of repositories alone; `denied` by its own policy, `barred` by those of
   * repositories, whatever else allows them; `foreign` is of another account, which no policy lets in.
   */
  readonly keys: Readonly<Record<Member, Credentials>>;
  readonly passwords: Readonly<Record<Member, string>>;
  /** Of `allowed`, and twelve hours and more past. */
  readonly expired: { readonly session: Credentials; readonly password: string };
  /** A repository that holds an image, and that nobody may change. */
  readonly victim: Tried;
  /** A new repository, with the victim's policy. */
  repository(): Promise<Tried>;
  /** All that the registry says of itself and of the victim. */
  snapshot(): Promise<unknown>;
}

export const FOREIGN_ACCOUNT = '111122223333';
const behindSeconds = 13 * 3600;
const everything = { Effect: 'Allow', Action: 'ecr:*', Resource: '*' };
const nothing = { Effect: 'Deny', Action: 'ecr:*', Resource: '*' };
const logIn = { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' };
const userArn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const roleArn = `arn:aws:iam::${ACCOUNT}:role/worker`;

export async function createWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const { path: data } = opening.use(await temporaryFolder());
  const { access, keys, expired } = await populate(data);
  const server = opening.use(await startEnforcedServer({ data }));
  const call = (operation: string, input: object) => ok(ecrCall(server.url, operation, input, access.root));
  const passwords = {} as Record<Member, string>;
  for (const name of MEMBERS) passwords[name] = await passwordOf(server.url, keys[name]);
  // Who is denied everything could not have logged in: the denial comes after, and counts for the token from before.
  await access.attach('denied', 'nothing', [nothing]);
  await until(async () => (await ecrCall(server.url, 'DescribeRepositories', {}, keys.denied)).status === 400);

  const policyText = policyOf(
    { Sid: 'guests', Effect: 'Allow', Principal: { AWS: userArn('guest') }, Action: 'ecr:*' },
    { Sid: 'barred', Effect: 'Deny', Principal: { AWS: userArn('barred') }, Action: 'ecr:*' },
  );
  const image = randomImage();
  const tried = (repositoryName: string): Tried => ({ repositoryName, policyText, digest: image.manifest.digest });
  const create = async (repositoryName: string) => {
    await call('CreateRepository', { repositoryName, tags: [{ Key: 'kept', Value: 'yes' }] });
    await call('SetRepositoryPolicy', { repositoryName, policyText, force: true });
    return tried(repositoryName);
  };
  const victim = await create('matrix/victim');
  await pushImage(server.url, victim.repositoryName, 'kept', image, basic(passwords.allowed));
  let made = 0;
  const opened = opening.move();
  return {
    server,
    root: access.root,
    keys,
    passwords,
    expired,
    victim,
    repository: () => create(`matrix/${++made}`),
    async snapshot() {
      const { repositoryName } = victim;
      const asked = [
        call('DescribeRepositories', { repositoryNames: [repositoryName] }),
        call('DescribeImages', { repositoryName }),
        call('GetRepositoryPolicy', { repositoryName }),
        call('ListTagsForResource', { resourceArn: arnOf(repositoryName) }),
        ecrCall(server.url, 'GetRegistryPolicy', {}, access.root),
      ];
      return (await Promise.all(asked)).map((answer) => answer.json());
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Makes everybody on a server whose clock is behind, so that what it gives out has expired on one whose clock is not. */
async function populate(data: string) {
  const clock = `--import=${join(checkout, 'test', 'support', 'clock-behind.ts')}`;
  const env = { NODE_OPTIONS: clock, CLOCK_BEHIND_SECONDS: String(behindSeconds) };
  await using server = await startEnforcedServer({ data, env });
  const access: Access = prepareAccess(server);
  const made = await Promise.all([
    access.user('allowed', { statements: [everything, { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }] }),
    access.user('guest', { statements: [logIn] }),
    access.user('denied', { statements: [everything] }),
    access.user('barred', { statements: [everything] }),
    access.user('foreign', { account: FOREIGN_ACCOUNT, statements: [everything] }),
    access.gantry(
      ['role', 'create', 'worker', '--trust-policy', '-'],
      policyOf({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'sts:AssumeRole' }),
    ),
  ]);
  const [allowed, guest, denied, barred, foreign] = made;
  const at = new Date(Date.now() - behindSeconds * 1000);
  const session = await assumeRole(server.url, roleArn, allowed, at);
  const password = await passwordOf(server.url, allowed, at);
  return { access, keys: { allowed, guest, denied, barred, foreign }, expired: { session, password } };
}

async function ok(asked: Promise<HttpAnswer>): Promise<HttpAnswer> {
  const answer = await asked;
  assert.equal(answer.status, 200, answer.text());
  return answer;
}
