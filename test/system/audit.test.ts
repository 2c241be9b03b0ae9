import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { SignatureV4 } from '@smithy/signature-v4';
import { http } from '../support/http.ts';
import { randomImage } from '../support/images.ts';
import {
  type AccessKeyPair,
  type EnforcedServer,
  eventually,
  httpAs,
  pushImageAs,
  startEnforcedServer,
} from './access-server.ts';
import { sha256Hash } from './sha256-hash.ts';

interface AuditRecord {
  readonly eventName: string;
  readonly eventSource: string;
  readonly eventTime: string;
  readonly userIdentity: Record<string, unknown>;
  readonly requestParameters: Record<string, unknown>;
  readonly errorCode?: string;
  readonly resources?: readonly { readonly ARN: string }[];
  readonly additionalEventData?: { readonly decision?: string };
}

const trust = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:user/alice' }, Action: 'sts:AssumeRole' },
  ],
};

describe('the audit trail', () => {
  let enforced: EnforcedServer;
  let alice: AccessKeyPair;
  let password = '';
  /** All that must be found nowhere. */
  const hidden = new Map<string, string>();
  let records: AuditRecord[] = [];
  let everythingWritten = '';

  /** Remembers what signs each request. */
  const rememberSignatures = (ecr: ECR): ECR => {
    const remember = (next: (sent: never) => Promise<never>) => (sent: never) => {
      const { authorization = '' } = (sent as { request: { headers: Record<string, string> } }).request.headers;
      hide('signature', /Signature=([0-9a-f]{64})/.exec(authorization)?.[1]);
      return next(sent);
    };
    ecr.middlewareStack.addRelativeTo(remember as never, {
      relation: 'after',
      toMiddleware: 'httpSigningMiddleware',
      name: 'rememberSignatures',
    });
    return ecr;
  };
  const hide = (what: string, secret: string | undefined) => {
    assert.ok(secret !== undefined && secret.length >= 16, what);
    hidden.set(secret, what);
  };
  const sts = async (key: AccessKeyPair, parameters: Record<string, string>) => {
    const body = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString();
    const { host, port } = enforced.server;
    const signer = new SignatureV4({ credentials: key, region: 'us-east-1', service: 'sts', sha256: sha256Hash });
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded' };
    const request = { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', port, path: '/', headers, body };
    const signed = await signer.sign(request);
    hide('signature', /Signature=([0-9a-f]{64})/.exec(signed.headers.authorization ?? '')?.[1]);
    return http(`${enforced.server.url}/`, { method: 'POST', headers: signed.headers, body });
  };

  before(async () => {
    enforced = await startEnforcedServer(['--log-level', 'debug']);
    const { server, rootKey, gantry } = enforced;
    hide('secret of root', rootKey.secretAccessKey);
    alice = await enforced.userWith('alice', 'PowerUser');
    hide('secret of a user', alice.secretAccessKey);
    const trustFile = join(server.data, 'trust.json');
    writeFileSync(trustFile, JSON.stringify(trust));
    await gantry('role', 'create', 'ci', '--trust-policy', trustFile);
    await gantry('policy', 'attach', '--role', 'ci', '--managed', 'ReadOnly');
    const robot = JSON.parse(await gantry('token', 'create', '--principal', 'user/alice', '--json'));
    hide('robot token', robot.password);

    const asRoot = rememberSignatures(enforced.ecr(rootKey));
    await asRoot.createRepository({ repositoryName: 'team/app' });
    const asAlice = rememberSignatures(enforced.ecr(alice));
    await eventually(
      () =>
        asAlice.listImages({ repositoryName: 'team/app' }).then(
          () => true,
          () => false,
        ),
      true,
    );
    await assert.rejects(asAlice.deleteRepository({ repositoryName: 'team/app' }), { name: 'AccessDeniedException' });

    const { authorizationData } = await asAlice.getAuthorizationToken({});
    const encoded = String(authorizationData?.[0]?.authorizationToken);
    hide('registry token in base64', encoded);
    password = Buffer.from(encoded, 'base64').toString().slice('AWS:'.length);
    hide('registry token', password);
    const image = randomImage();
    assert.equal((await pushImageAs(password, server.url, 'team/app', image)).status, 201);
    assert.equal((await httpAs(robot.password, `${server.url}/v2/team/app/manifests/latest`)).status, 200);
    assert.equal((await pushImageAs(robot.password, server.url, 'team/app', randomImage())).status, 403);

    const layerDigest = image.layers[0]?.digest;
    const { downloadUrl = '' } = await asAlice.getDownloadUrlForLayer({ repositoryName: 'team/app', layerDigest });
    assert.equal((await http(downloadUrl)).status, 200);
    hide('download link', downloadUrl.slice(downloadUrl.indexOf('/layers/') + '/layers/'.length));

    const wrong = 'a-password-that-is-none-of-ours';
    hide('wrong password', wrong);
    assert.equal((await httpAs(wrong, `${server.url}/v2/`)).status, 401);
    assert.equal((await httpAs(wrong, `${server.url}/v2/team/app/tags/list`)).status, 401);
    const forged = rememberSignatures(enforced.ecr({ ...alice, secretAccessKey: 'not-the-secret-of-this-key' }));
    await assert.rejects(forged.listImages({ repositoryName: 'team/app' }), { name: 'InvalidSignatureException' });
    const stranger = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-the-secret-of-any-key' };
    const asStranger = rememberSignatures(enforced.ecr(stranger));
    await assert.rejects(asStranger.listImages({ repositoryName: 'team/app' }), {
      name: 'UnrecognizedClientException',
    });

    const assume = { Action: 'AssumeRole', RoleArn: 'arn:aws:iam::000000000000:role/ci', RoleSessionName: 'run-7' };
    const assumed = (await sts(alice, assume)).text();
    const member = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(assumed)?.[1] ?? '';
    const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(member);
    hide('secret of a session', secretAccessKey);
    hide('session token', sessionToken);
    const session = { accessKeyId, secretAccessKey, sessionToken } as AccessKeyPair;
    await rememberSignatures(enforced.ecr(session)).listImages({ repositoryName: 'team/app' });
    const webIdentityToken = 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2V4YW1wbGUuY29tIn0.signature-of-nobody';
    hide('web identity token', webIdentityToken);
    await sts(alice, { ...assume, Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: webIdentityToken });

    assert.equal(await server.stop(), 0);
    const trail = readFileSync(join(server.data, 'audit.jsonl'), 'utf8');
    records = trail
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    everythingWritten = trail + server.output();
  });
  after(() => enforced[Symbol.asyncDispose]());

  const recordOf = (eventName: string, fits: (record: AuditRecord) => boolean = () => true) => {
    const found = records.filter((record) => record.eventName === eventName && fits(record));
    assert.ok(found[0], `no ${eventName} among ${records.map((record) => record.eventName).join(', ')}`);
    return found[0];
  };

  it('holds no secret, token or signature, and neither does the log', () => {
    assert.ok(hidden.size > 15, `${hidden.size} secrets`);
    assert.match(server().output(), /"msg":"request"/, 'the log has requests');
    for (const [secret, what] of hidden) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(`AWS:${secret}`).toString('base64')]) {
        const at = everythingWritten.indexOf(form);
        assert.equal(at, -1, `${what}: …${everythingWritten.slice(Math.max(0, at - 200), at)}`);
      }
    }
  });

  it('is for its owner alone', () => {
    assert.equal(statSync(join(server().data, 'audit.jsonl')).mode & 0o777, 0o600);
  });

  it('tells who did what to what, from where, and why they might', () => {
    const pushed = recordOf('PutImage', ({ errorCode }) => errorCode === undefined);
    assert.partialDeepStrictEqual(pushed, {
      userIdentity: { type: 'IAMUser', userName: 'alice', accountId: '000000000000' },
      sourceIPAddress: '127.0.0.1',
      awsRegion: 'us-east-1',
      eventSource: 'ecr.amazonaws.com',
      requestParameters: { repositoryName: 'team/app', imageTag: 'latest' },
      resources: [{ type: 'AWS::ECR::Repository', ARN: 'arn:aws:ecr:us-east-1:000000000000:repository/team/app' }],
      readOnly: false,
    });
    assert.match(String(pushed.additionalEventData?.decision), /allowed-by-identity.*PowerUser/);
    assert.equal(recordOf('CreateRepository').userIdentity.type, 'Root');
    assert.equal(recordOf('AssumeRole').eventSource, 'sts.amazonaws.com');
    const bySession = recordOf('ListImages', ({ userIdentity }) => userIdentity.type === 'AssumedRole');
    assert.equal(bySession.userIdentity.arn, 'arn:aws:sts::000000000000:assumed-role/ci/run-7');
  });

  it('tells what was refused, and names nobody who was not proved', () => {
    const denied = recordOf('DeleteRepository');
    assert.equal(denied.errorCode, 'AccessDeniedException');
    assert.equal(denied.userIdentity.userName, 'alice');
    const forged = recordOf('ListImages', ({ errorCode }) => errorCode === 'InvalidSignatureException');
    assert.deepEqual(forged.userIdentity, { type: 'Unknown' });
    const unknown = recordOf('ListImages', ({ errorCode }) => errorCode === 'UnrecognizedClientException');
    assert.deepEqual(unknown.userIdentity, { type: 'Unknown' });
  });

  it('is read by gantry audit', async () => {
    const { gantry } = enforced;
    const all = (await gantry('audit', '--json')).trimEnd().split('\n');
    assert.equal(all.length, records.length);
    const asked = async (...words: string[]): Promise<AuditRecord[]> =>
      (await gantry('audit', '--json', ...words))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    const pushes = await asked('--event', 'PutImage', '--user', 'alice', '--since', '1h');
    assert.ok(pushes.length > 0);
    assert.ok(
      pushes.every(({ eventName, userIdentity }) => eventName === 'PutImage' && userIdentity.userName === 'alice'),
    );
    assert.ok((await asked('--user', 'ci')).every(({ userIdentity }) => userIdentity.type === 'AssumedRole'));
    const errors = await asked('--errors');
    assert.equal(errors.length, records.filter(({ errorCode }) => errorCode !== undefined).length);
    assert.deepEqual(await asked('--since', new Date(Date.now() + 60_000).toISOString()), []);
    const text = await gantry('audit', '--event', 'deleterepository');
    assert.match(
      text,
      /^TIME .*\n\S+Z +DeleteRepository +alice +127\.0\.0\.1 +AccessDeniedException +repository\/team\/app\n$/,
    );
    assert.match(await gantry('audit', '--user', 'carol'), /^Nothing of the kind in /);
  });

  const server = () => enforced.server;
});
