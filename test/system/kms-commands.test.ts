import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needsFolder } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { runAny } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient } from './aws-client.ts';
import { gantryOn, refusalOn } from './gantry-command.ts';

const repositoryName = 'secret';

describe('gantry kms, beside a running server', () => {
  const skip = needsFolder('keys of the server are for bytes in its folder');
  it('makes keys, and stops and lets go on what is done under them at once', { skip }, async () => {
    await using server = await startServer();
    const [gantry, refusal] = [gantryOn(server.data), refusalOn(server.data)];
    const ecr = ecrClient(server.url);
    assert.equal(await gantry('kms', 'list'), 'Account 000000000000 has no keys in us-east-1.\n');
    const arn = (await gantry('kms', 'create', '--alias', 'registry', '--description', 'for tests')).trim();
    assert.match(arn, /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36}$/);
    assert.match(await refusal('kms', 'create', '--alias', 'alias/registry'), new RegExp(`is of ${arn} already`));
    assert.match(await refusal('kms', 'create', '--alias', 'aws/ecr'), /does not begin with aws\//);

    const encryptionConfiguration = { encryptionType: 'KMS', kmsKey: 'alias/registry' } as const;
    const { repository } = await ecr.createRepository({ repositoryName, encryptionConfiguration });
    assert.deepEqual(repository?.encryptionConfiguration, { encryptionType: 'KMS', kmsKey: arn });
    const image = randomImage();
    await pushImage(server.url, repositoryName, 'v1', image);
    const row = (state: string) => new RegExp(`^alias/registry +${state} +1 +[-0-9]+ [:0-9]+ +${arn} +for tests$`, 'm');
    assert.match(await gantry('kms', 'list'), row('Enabled'));

    const pull = async () => (await http(`${server.url}/v2/${repositoryName}/manifests/v1`)).status;
    const push = () => ecr.initiateLayerUpload({ repositoryName });
    assert.equal(await pull(), 200);
    assert.match(await gantry('kms', 'disable', 'alias/registry'), /pulled from 1 repository until it is enabled/);
    assert.equal(await pull(), 400);
    await assert.rejects(push(), { name: 'KmsException', kmsError: 'DisabledException' });
    assert.match(await gantry('kms', 'list'), row('Disabled'));
    await gantry('kms', 'enable', arn);
    assert.equal(await pull(), 200);

    assert.match(await refusal('kms', 'schedule-deletion', arn, '--days', '6'), /waits 7 to 30 days/);
    assert.match(await refusal('kms', 'cancel-deletion', arn), /is not pending deletion/);
    assert.match(await gantry('kms', 'schedule-deletion', arn.split('/')[1]!), /with it the layers of 1 repository;/);
    await assert.rejects(push(), { name: 'KmsException', kmsError: 'KMSInvalidStateException' });
    assert.match(await refusal('kms', 'enable', arn), /cancel-deletion keeps it/);
    assert.match(await gantry('kms', 'list'), row('PendingDeletion [-0-9]+ [:0-9]+'));
    await gantry('kms', 'cancel-deletion', arn);
    assert.match(await gantry('kms', 'list'), row('Disabled'));
    assert.match(await refusal('kms', 'enable', 'alias/none'), /There is no key 'alias\/none' in us-east-1/);

    const trail = (await readFile(join(server.data, 'audit.jsonl'), 'utf8')).trim().split('\n');
    const events = trail
      .map((line) => JSON.parse(line))
      .filter(({ eventSource }) => eventSource === 'kms.amazonaws.com');
    assert.deepEqual(
      events.map(({ eventName, requestParameters }) => [eventName, requestParameters.keyId]),
      ['CreateKey', 'DisableKey', 'EnableKey', 'ScheduleKeyDeletion', 'CancelKeyDeletion'].map((name) => [name, arn]),
    );
  });

  it("does not delete the registry's own key, which is made when it is first needed", { skip }, async () => {
    await using server = await startServer();
    const [gantry, refusal] = [gantryOn(server.data), refusalOn(server.data)];
    const encryptionConfiguration = { encryptionType: 'KMS' } as const;
    const made = await ecrClient(server.url).createRepository({ repositoryName, encryptionConfiguration });
    const arn = made.repository?.encryptionConfiguration?.kmsKey ?? '';
    const words = new RegExp(
      `${arn} is the registry's own key, alias/aws/ecr, which is not deleted; gantry kms disable`,
    );
    for (const named of ['alias/aws/ecr', arn]) assert.match(await refusal('kms', 'schedule-deletion', named), words);
    assert.match(await gantry('kms', 'list'), /^alias\/aws\/ecr +Enabled +1 /m);
  });

  it('keeps keys under one key file alone', async () => {
    await using folder = await temporaryFolder();
    const [gantry, refusal] = [gantryOn(folder.path), refusalOn(folder.path)];
    await gantry('kms', 'create');
    const other = join(folder.path, 'other.key');
    assert.match(await refusal('kms', 'create', '--key-file', other), /is not the one under which this server keeps/);
  });
});

describe('a master key file', () => {
  const skip = needsFolder('a bucket is encrypted by its store');
  it('encrypts what is of AES256, survives its rotation, and is refused when it is no such file', {
    skip,
  }, async () => {
    await using folder = await temporaryFolder();
    const [file, data] = [join(folder.path, 'master.key'), join(folder.path, 'data')];
    const [first, second] = [await newMasterKey(), await newMasterKey()];
    const hex = Buffer.from(second, 'base64').toString('hex');
    await writeFile(file, first, { mode: 0o600 });
    const image = randomImage();
    const args = ['--master-key-file', file];
    {
      await using server = await startServer({ data, args });
      await pushImage(server.url, 'plain/name', 'v1', image);
    }
    const names = await readdir(join(data, 'blobs'), { recursive: true });
    const blobs = names.filter((name) => name.includes('.'));
    assert.equal(blobs.length, image.layers.length + 1);
    for (const name of blobs) assert.match(name, /\.encrypted$/);

    await writeFile(file, `# since today\n${hex}\n\n${first}`);
    const gantry = gantryOn(data);
    assert.match(await gantry('verify', ...args), /: all is well\./);
    await writeFile(file, hex);
    assert.match(await gantry('verify', ...args), /not among the master keys of this server/);

    const refusal = refusalOn(data);
    assert.match(await refusal('verify', '--master-key-file', join(folder.path, 'none')), /there is no such file/);
    await writeFile(file, `${hex}\nabc`);
    assert.match(await refusal('verify', ...args), /line 2 is not 32 bytes/);
    await writeFile(file, '\n');
    assert.match(await refusal('verify', ...args), /no line with a key; gantry kms master-key prints one/);
    await writeFile(file, hex);
    await chmod(file, 0o644);
    assert.match(await refusal('verify', ...args), /chmod o= /);
    assert.match(await refusal('verify', ...args, '--blobs', 's3://bucket'), /add sse=AES256 to its address/);
  });
});

async function newMasterKey(): Promise<string> {
  const command = [pinnedNode, join(checkout, 'bin', 'gantry.js'), 'kms', 'master-key'];
  const { code, stdout } = await runAny(command, { env: cleanEnvironment() as Record<string, string> });
  assert.equal(code, 0);
  return stdout;
}
