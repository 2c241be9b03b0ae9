import { type KeyService, KeyServiceError } from '../../core/encryption/key-service.ts';

/** Stands where there is no key service: has no keys, and says why. */
export function createNoKeys(reason: string): KeyService {
  const refuse = async () => {
    throw new KeyServiceError('UnsupportedOperationException', reason);
  };
  return { resolve: refuse, check: refuse, generateDataKey: refuse, decrypt: refuse };
}
