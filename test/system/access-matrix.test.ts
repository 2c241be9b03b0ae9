import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as sdk from '@aws-sdk/client-ecr';
import { ACCOUNT, basic, type Credentials, ecrCall, stsCall } from '../support/access.ts';
import { type HttpAnswer, http } from '../support/http.ts';
import { OPERATION_ROWS, type OperationRow, type Tried } from './access-matrix-operations.ts';
import { ROUTE_ROWS, type RouteRow } from './access-matrix-routes.ts';
import { createWorld, MEMBERS, type Member, type World } from './access-matrix-world.ts';

/** Every way in × everybody who might try it. */
describe('where access is enforced', () => {
  let world: World | undefined;
  const theWorld = () => {
    assert.ok(world);
    return world;
  };
  before(async () => {
    world = await createWorld();
  });
  after(() => world?.[Symbol.asyncDispose]());

  describe('the ECR API', () => tryOperations(theWorld));
  describe('/v2/', () => tryRoutes(theWorld));
  describe('STS', () => tryActions(theWorld));
  describe('the rest', () => tryOtherPaths(theWorld));
});

/** Strangers, and what they are told. */
const STRANGERS = {
  'no credentials': 'MissingAuthenticationTokenException',
  'an unknown key': 'UnrecognizedClientException',
  'a wrong secret': 'InvalidSignatureException',
  'an expired session': 'ExpiredTokenException',
} as const;

type Stranger = keyof typeof STRANGERS;

function credentialsOf({ keys, expired }: World, who: Member | Stranger): Credentials | undefined {
  switch (who) {
    case 'no credentials':
      return undefined;
    case 'an unknown key':
      return { ...keys.allowed, accessKeyId: 'AKIAZZZZZZZZZZZZZZZZ' };
    case 'a wrong secret':
      return { ...keys.allowed, secretAccessKey: keys.guest.secretAccessKey };
    case 'an expired session':
      return expired.session;
    default:
      return keys[who];
  }
}

const IDENTITY_DENIES = /explicit deny in an identity-based policy/;
const RESOURCE_DENIES = /explicit deny in a resource-based policy/;
const IDENTITY_ALLOWS_NOT = /no identity-based policy allows/;
const RESOURCE_ALLOWS_NOT = /no resource-based policy allows/;

function tryOperations(world: () => World): void {
  let untouched: unknown;
  before(async () => {
    untouched = await world().snapshot();
  });
  const names = Object.keys(sdk).flatMap((name) => /^(\w+)Command$/.exec(name)?.[1] ?? []);
  const call = (name: string, tried: Tried, who: Member | Stranger) => {
    const input = OPERATION_ROWS[name]?.input(tried) ?? { repositoryName: tried.repositoryName };
    return ecrCall(world().server.url, name, { registryId: ACCOUNT, ...input }, credentialsOf(world(), who));
  };

  it('has 62 operations', () => {
    assert.equal(names.length, 62);
    for (const name of Object.keys(OPERATION_ROWS)) assert.ok(names.includes(name), name);
  });

  for (const name of names) {
    const row = OPERATION_ROWS[name];
    it(`${name} refuses strangers${row ? ', and members whom a policy denies it or none allows it' : ''}`, async () => {
      for (const [who, code] of Object.entries(STRANGERS)) {
        refused(who, await call(name, world().victim, who as Stranger), code);
      }
      for (const [who, because] of row ? denialsOf(name, row) : []) {
        refused(who, await call(name, world().victim, who), 'AccessDeniedException', because);
      }
    });
  }

  it('refused before anything changed', async () => assert.deepEqual(await world().snapshot(), untouched));

  for (const name of names) {
    const row = OPERATION_ROWS[name];
    if (row === undefined) {
      it(`${name} is not there yet`, async () =>
        refused('allowed', await call(name, world().victim, 'allowed'), 'UnsupportedOperationException'));
      continue;
    }
    it(`${name} admits whom a policy allows it`, async () => {
      for (const who of row.on === 'registry' ? (['allowed'] as const) : (['allowed', 'guest'] as const)) {
        admitted(who, await call(name, await world().repository(), who));
      }
    });
  }

  it('DescribeRepositories of all is for those whose own policy allows it', async () => {
    const list = (who: Member) =>
      ecrCall(world().server.url, 'DescribeRepositories', { registryId: ACCOUNT }, world().keys[who]);
    admitted('allowed', await list('allowed'));
    for (const who of ['guest', 'denied', 'foreign'] as const) {
      refused(who, await list(who), 'AccessDeniedException', /repository\/\* /);
    }
  });
}

/** To whom an operation must be denied, and why. */
function denialsOf(name: string, { on, staysAtHome = false }: OperationRow): [Member, RegExp][] {
  return [
    ['denied', IDENTITY_DENIES],
    ...(on === 'repository' ? [['barred', RESOURCE_DENIES] as [Member, RegExp]] : []),
    ...(staysAtHome ? [] : [['foreign', RESOURCE_ALLOWS_NOT] as [Member, RegExp]]),
    // The one thing that the guest's own policy allows.
    ...(on === 'registry' && name !== 'GetAuthorizationToken'
      ? [['guest', IDENTITY_ALLOWS_NOT] as [Member, RegExp]]
      : []),
  ];
}

function refused(who: string, answer: HttpAnswer, code: string, message = /\S/): void {
  assert.equal(answer.status, 400, `${who}: ${answer.text()}`);
  assert.equal(answer.json().__type, code, `${who}: ${answer.text()}`);
  assert.match(answer.json().message, message, who);
}

/** Who was let in may then find nothing there; what is not valid was refused before anybody decided. */
function admitted(who: string, answer: HttpAnswer): void {
  const { __type: code = '', message = '' } = answer.json();
  const notDecided = /AccessDenied|Authentication|Signature|UnrecognizedClient|ExpiredToken|Unsupported|Validation/;
  assert.doesNotMatch(code, notDecided, `${who}: ${answer.text()}`);
  assert.doesNotMatch(message, /^Invalid parameter at '(?!imageManifest|policyText)/i, who);
  assert.ok(answer.status < 500, `${who}: ${answer.text()}`);
}

function tryRoutes(world: () => World): void {
  let untouched: unknown;
  before(async () => {
    untouched = await world().snapshot();
  });
  const ask = (row: RouteRow, name: string, headers: Readonly<Record<string, string>>) => {
    const { method, path, body } = row;
    const length = body === undefined ? {} : { 'Content-Length': String(body.length) };
    const url = `${world().server.url}/v2/${path.replace('NAME', name)}`;
    return http(url, { method, body, headers: { ...length, ...headers } });
  };
  /** Another account asks the host of this one's registry. */
  const headersOf = (who: Member) => ({
    ...basic(world().passwords[who]),
    ...(who === 'foreign' && { Host: `${ACCOUNT}.dkr.ecr.us-east-1.localhost:${world().server.port}` }),
  });
  const title = ({ method, path }: RouteRow) => `${method} /v2/${path.replace(/[0-9a-f]{64}/g, '…')}`;

  it('takes these methods and no others', async () => {
    for (const path of new Set(ROUTE_ROWS.map((row) => row.path.replace(/\?.*/, '')))) {
      const { status, headers } = await ask({ method: 'OPTIONS', path, on: 'nothing' }, 'any', headersOf('allowed'));
      const rows = ROUTE_ROWS.filter((row) => row.path.replace(/\?.*/, '') === path);
      assert.equal(status, 405);
      assert.deepEqual(headers.allow?.split(', ').sort(), [...new Set(rows.map(({ method }) => method))].sort(), path);
    }
  });

  for (const row of ROUTE_ROWS) {
    const members = row.on === 'nothing' ? '' : ', and members whom a policy denies it or none allows it';
    it(`${title(row)} refuses strangers${members}`, async () => {
      const { victim, passwords, expired } = world();
      const [keyId, payload, signature = ''] = passwords.allowed.split('.');
      const altered = `${keyId}.${payload}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`;
      const name = victim.repositoryName;
      isAnswered('no credentials', await ask(row, name, {}), 401);
      isAnswered('an unknown password', await ask(row, name, basic('secret')), 401);
      isAnswered('a wrong signature', await ask(row, name, basic(altered)), 401);
      isAnswered('a secret access key', await ask(row, name, basic(world().keys.allowed.secretAccessKey)), 401);
      isAnswered('an expired token', await ask(row, name, basic(expired.password)), 403);
      const denied: readonly Member[] = row.on === 'nothing' ? [] : ['denied', 'foreign'];
      const byPolicies = { nothing: [], registry: ['guest'], repository: ['barred'] } as const;
      for (const who of [...denied, ...byPolicies[row.on]]) isAnswered(who, await ask(row, name, headersOf(who)), 403);
    });
  }

  it('refused before anything changed', async () => assert.deepEqual(await world().snapshot(), untouched));

  for (const row of ROUTE_ROWS) {
    it(`${title(row)} admits ${row.on === 'nothing' ? 'every member' : 'whom a policy allows it'}`, async () => {
      const members = { nothing: MEMBERS, registry: ['allowed'], repository: ['allowed', 'guest'] } as const;
      for (const member of members[row.on]) {
        const { repositoryName } = await world().repository();
        const { status } = await ask(row, repositoryName, headersOf(member));
        assert.ok(status < 500 && ![401, 403, 405].includes(status), `${member}: ${status}`);
      }
    });
  }
}

function isAnswered(who: string, answer: HttpAnswer, status: 401 | 403): void {
  assert.equal(answer.status, status, `${who}: ${answer.text()}`);
  if (status === 401) assert.match(String(answer.headers['www-authenticate']), /^Basic realm=/, who);
}

function tryActions(world: () => World): void {
  const call = (parameters: Readonly<Record<string, string>>, who: Member | Stranger) =>
    stsCall(world().server.url, parameters, credentialsOf(world(), who));
  const role = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/worker`, RoleSessionName: 'test' };
  const actions = { GetCallerIdentity: {}, AssumeRole: role } as const;
  const codeOf = (answer: HttpAnswer) => /<Code>(.*?)<\/Code>/.exec(answer.text())?.[1];
  const codes: Record<Stranger, RegExp> = {
    'no credentials': /^MissingAuthenticationToken$/,
    'an unknown key': /^InvalidClientTokenId$/,
    'a wrong secret': /^SignatureDoesNotMatch$/,
    'an expired session': /^ExpiredToken(Exception)?$/,
  };

  for (const [Action, parameters] of Object.entries(actions)) {
    it(`${Action} refuses strangers`, async () => {
      for (const [who, code] of Object.entries(codes)) {
        const answer = await call({ Action, ...parameters }, who as Stranger);
        assert.equal(answer.status, 403, `${who}: ${answer.text()}`);
        assert.match(String(codeOf(answer)), code, who);
      }
    });
  }

  it('AssumeRole is for those whom both policies allow it, where the trust policy names the account alone', async () => {
    assert.equal((await call({ Action: 'AssumeRole', ...role }, 'allowed')).status, 200);
    for (const who of ['guest', 'denied', 'barred', 'foreign'] as const) {
      const answer = await call({ Action: 'AssumeRole', ...role }, who);
      assert.equal(answer.status, 403, who);
      assert.equal(codeOf(answer), 'AccessDenied', who);
    }
  });

  it('AssumeRoleWithWebIdentity asks for a token of an issuer instead of a signature', async () => {
    for (const who of ['no credentials', 'allowed'] as const) {
      const parameters = { Action: 'AssumeRoleWithWebIdentity', ...role, WebIdentityToken: 'none.of.yours' };
      const answer = await call(parameters, who);
      assert.equal(answer.status, 400, answer.text());
      assert.equal(codeOf(answer), 'InvalidIdentityToken', who);
    }
  });

  it('tells every member who it is', async () => {
    for (const who of MEMBERS) {
      const answer = await call({ Action: 'GetCallerIdentity' }, who);
      assert.match(answer.text(), new RegExp(`<Arn>arn:aws:iam::\\d{12}:user/${who}</Arn>`));
    }
  });
}

function tryOtherPaths(world: () => World): void {
  const statusOf = async (method: string, path: string) =>
    (await http(`${world().server.url}${path}`, { method })).status;

  it('answers without credentials only that the server lives, and how it does', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) assert.equal(await statusOf('GET', path), 200, path);
  });

  it('serves layers by signed links alone', async () => {
    const { digest } = world().victim;
    const name = 'matrix/victim';
    for (const path of [
      `/layers/${name}/${digest}`,
      `/layers/${digest}`,
      '/layers/',
      `/layers/x?signature=${digest}`,
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const status = await statusOf(method, path);
        assert.ok(status === 403 || status === 404, `${method} ${path}: ${status}`);
      }
    }
  });

  it('has nothing else for strangers, at whatever path', async () => {
    for (const path of [
      '/v2x',
      '/v1/',
      '/auth/token',
      '//v2/_catalog',
      '/v2/../metrics',
      '/V2/_catalog',
      '/api/',
      '/?x=1',
    ]) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const status = await statusOf(method, path);
        assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`);
      }
    }
  });
}
