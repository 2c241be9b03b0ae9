import { randomBytes, randomUUID } from 'node:crypto';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import { createKmsKeys } from '../../src/core/encryption/kms-keys.ts';
import { createLocalKeyService } from '../../src/core/encryption/local-key-service.ts';
import { createAwsKms } from '../../src/drivers/keys/aws-kms.ts';
import { openSqliteMetadataStore } from '../../src/drivers/metadata/sqlite.ts';
import { startKmsServer } from '../support/kms-server.ts';
import type { KeyServiceDriver } from './key-service/driver.ts';
import { describeKeyService } from './key-service/keys.ts';

const aws: KeyServiceDriver = {
  name: 'AWS KMS',
  async open() {
    const registry = { accountId: '111122223333', region: 'us-west-2' };
    const server = await startKmsServer(registry);
    const place = { region: undefined, endpoint: server.url, defaultKey: undefined, credentials: server.credentials };
    const opened = [createAwsKms(place)];
    return {
      keys: opened[0]!,
      registry,
      async another() {
        const keys = createAwsKms(place);
        opened.push(keys);
        return keys;
      },
      create: async (alias) => server.keys.create({ ...(alias !== undefined && { alias }) }),
      disable: async (arn) => server.keys.setState(arn, 'Disabled'),
      enable: async (arn) => server.keys.setState(arn, 'Enabled'),
      scheduleDeletion: async (arn) => server.keys.setState(arn, 'PendingDeletion'),
      destroy: async (arn) => server.keys.destroy(arn),
      async [Symbol.asyncDispose]() {
        for (const keys of opened) keys[Symbol.dispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

const local: KeyServiceDriver = {
  name: "the registry's own database",
  async open() {
    const registry = { accountId: '111122223333', region: 'us-west-2' };
    const metadata = await openSqliteMetadataStore({ file: ':memory:' });
    await metadata.migrate();
    const box = createSecretBox(randomBytes(32), randomBytes);
    let day = 0;
    const now = () => new Date(Date.UTC(2026, 0, 1 + day));
    const parts = { metadata, now, newId: () => randomUUID(), randomBytes: (length: number) => randomBytes(length) };
    const keys = createKmsKeys(parts, async () => box);
    const service = () => createLocalKeyService(parts, async () => box);
    return {
      keys: service(),
      registry,
      another: async () => service(),
      create: async (alias) => (await keys.create(registry, { ...(alias !== undefined && { alias }) })).arn,
      disable: async (arn) => void (await keys.disable(registry, arn)),
      enable: async (arn) => void (await keys.enable(registry, arn)),
      scheduleDeletion: async (arn) => void (await keys.scheduleDeletion(registry, arn, 7)),
      async destroy() {
        day += 8;
      },
      [Symbol.asyncDispose]: () => metadata[Symbol.asyncDispose](),
    };
  },
};

for (const driver of [aws, local]) describeKeyService(driver);
