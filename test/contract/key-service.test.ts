import { createAwsKms } from '../../src/drivers/keys/aws-kms.ts';
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

describeKeyService(aws);
