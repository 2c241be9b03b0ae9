import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pushBlob, pushManifest, randomImage } from '../support/images.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type AccessKeyPair, type EnforcedServer, startEnforcedServer } from './access-server.ts';
import { addPeer, defaultAccount, digestAt, replicated, replicateTo } from './replication-world.ts';

const otherAccount = '210987654321';
const other = { region: 'us-east-1', registryId: otherAccount };
/** The peer's own registry. */
const peerPlace = { region: 'eu-west-1', registryId: defaultAccount };

describe('replication where access is enforced', () => {
  let enforced: EnforcedServer;
  let peer: EnforcedServer;
  let otherRoot: AccessKeyPair;

  before(async () => {
    [enforced, peer] = await Promise.all([startEnforcedServer(), startEnforcedServer(['--region', 'eu-west-1'])]);
    otherRoot = JSON.parse(await enforced.gantry('key', 'create', '--root', '--account', otherAccount, '--json'));
  });
  after(async () => {
    for (const each of [enforced, peer]) await each?.[Symbol.asyncDispose]();
  });

  async function push(repositoryName: string, tag: string) {
    const ecr = enforced.ecr(enforced.rootKey);
    await ecr.createRepository({ repositoryName }).catch((error: Error) => {
      if (error.name !== 'RepositoryAlreadyExistsException') throw error;
    });
    const { authorizationData } = await ecr.getAuthorizationToken({});
    const headers = { Authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` };
    const image = randomImage();
    const { url } = enforced.server;
    for (const blob of [image.config, ...image.layers]) await pushBlob(url, repositoryName, blob, headers);
    const { manifest, mediaType } = image;
    assert.equal((await pushManifest(url, repositoryName, tag, manifest, mediaType, headers)).status, 201);
    return image.manifest.digest;
  }

  const policyFor = (...actions: string[]) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'replication',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${defaultAccount}:root` },
          Action: actions,
          Resource: `arn:aws:ecr:us-east-1:${otherAccount}:repository/*`,
        },
      ],
    });

  it('to another account takes what the policy of its registry allows', async () => {
    const [ecr, there] = [enforced.ecr(enforced.rootKey), enforced.ecr(otherRoot)];
    await replicateTo(ecr, other);
    await push('cross/app', 'v1');
    const denied = [{ ...other, status: 'FAILED', failureCode: 'AccessDenied' }];
    assert.deepEqual(await replicated(ecr, 'cross/app', 'v1'), denied);
    await there.putRegistryPolicy({ policyText: policyFor('ecr:ReplicateImage') });
    await push('cross/app', 'v2');
    assert.deepEqual(await replicated(ecr, 'cross/app', 'v2'), denied);
    assert.equal(await digestAt(there, 'cross/app', 'v2'), undefined);
    await there.putRegistryPolicy({ policyText: policyFor('ecr:ReplicateImage', 'ecr:CreateRepository') });
    const digest = await push('cross/app', 'v3');
    assert.deepEqual(await replicated(ecr, 'cross/app', 'v3'), [{ ...other, status: 'COMPLETE' }]);
    assert.equal(await digestAt(there, 'cross/app', 'v3'), digest);
    // Once there is a repository, none has to be made.
    await there.putRegistryPolicy({ policyText: policyFor('ecr:ReplicateImage') });
    await push('cross/app', 'v4');
    assert.deepEqual(await replicated(ecr, 'cross/app', 'v4'), [{ ...other, status: 'COMPLETE' }]);
  });

  it('to a peer takes an access key that it knows, and says so when it does not', async () => {
    await using folder = await temporaryFolder();
    const secretFile = join(folder.path, 'secret');
    const ecr = enforced.ecr(enforced.rootKey);
    await replicateTo(ecr, peerPlace);
    await writeFile(secretFile, 'not-the-secret-of-this-access-key');
    const key = ['--access-key-id', peer.rootKey.accessKeyId, '--secret-file', secretFile];
    await addPeer(enforced.server, peer.server, key, peerPlace);
    await push('far/app', 'v1');
    const wrong = [{ ...peerPlace, status: 'FAILED', failureCode: 'DestinationAuthenticationFailed' }];
    assert.deepEqual(await replicated(ecr, 'far/app', 'v1'), wrong);
    await writeFile(secretFile, `${peer.rootKey.secretAccessKey}\n`);
    await addPeer(enforced.server, peer.server, [...key, '--replace'], peerPlace);
    const digest = await push('far/app', 'v2');
    assert.deepEqual(await replicated(ecr, 'far/app', 'v2'), [{ ...peerPlace, status: 'COMPLETE' }]);
    const there = peer.ecr(peer.rootKey);
    assert.equal(await digestAt(eu(there), 'far/app', 'v2'), digest);
  });

  it('is for those who may replicate: others cannot pass a push off as a copy', async () => {
    const key = await enforced.userWith('pusher', 'PowerUser');
    const { authorizationData } = await enforced.ecr(key).getAuthorizationToken({});
    const headers = {
      Authorization: `Basic ${authorizationData?.[0]?.authorizationToken}`,
      'Gantry-Replicated-From': `${otherAccount}/us-east-1`,
    };
    const { manifest, mediaType } = randomImage();
    const answer = await pushManifest(enforced.server.url, 'cross/app', 'mine', manifest, mediaType, headers);
    assert.equal(answer.status, 403);
    assert.match(answer.text(), /DENIED.*ecr:ReplicateImage/);
  });

  it('to Amazon ECR makes the repository by its API', async () => {
    await using folder = await temporaryFolder();
    const secretFile = join(folder.path, 'secret');
    await writeFile(secretFile, peer.rootKey.secretAccessKey);
    const ecr = enforced.ecr(enforced.rootKey);
    await replicateTo(ecr, peerPlace);
    const key = ['--access-key-id', peer.rootKey.accessKeyId, '--secret-file', secretFile];
    const asEcr = ['--kind', 'ecr', '--api-url', peer.server.url, '--replace'];
    await addPeer(enforced.server, peer.server, [...key, ...asEcr], peerPlace);
    for (const tag of ['v1', 'v2']) {
      const digest = await push('amazon/app', tag);
      assert.deepEqual(await replicated(ecr, 'amazon/app', tag), [{ ...peerPlace, status: 'COMPLETE' }]);
      assert.equal(await digestAt(eu(peer.ecr(peer.rootKey)), 'amazon/app', tag), digest);
    }
  });

  it('to a peer takes a robot token as well, as far as that goes', async () => {
    await using folder = await temporaryFolder();
    const passwordFile = join(folder.path, 'password');
    const ecr = enforced.ecr(enforced.rootKey);
    await replicateTo(ecr, peerPlace);
    await peer.gantry('user', 'create', 'copier');
    await peer.gantry('policy', 'attach', '--user', 'copier', '--managed', 'FullAccess');
    const bounds = ['--principal', 'user/copier', '--actions', 'pull,push', '--repositories', 'robot/*'];
    const { password } = JSON.parse(await peer.gantry('token', 'create', ...bounds, '--json'));
    await writeFile(passwordFile, password);
    const login = ['--username', 'AWS', '--password-file', passwordFile, '--replace'];
    await addPeer(enforced.server, peer.server, login, peerPlace);
    const digest = await push('robot/app', 'v1');
    assert.deepEqual(await replicated(ecr, 'robot/app', 'v1'), [{ ...peerPlace, status: 'COMPLETE' }]);
    assert.equal(await digestAt(eu(peer.ecr(peer.rootKey)), 'robot/app', 'v1'), digest);
    await push('beyond/app', 'v1');
    assert.deepEqual(await replicated(ecr, 'beyond/app', 'v1'), [
      { ...peerPlace, status: 'FAILED', failureCode: 'AccessDenied' },
    ]);
  });

  /** A client of the peer signs for its region. */
  function eu(client: ReturnType<EnforcedServer['ecr']>) {
    client.config.region = async () => 'eu-west-1';
    return client;
  }
});
