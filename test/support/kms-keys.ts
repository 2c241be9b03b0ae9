import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';

type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport';

interface Key {
  readonly id: string;
  readonly arn: string;
  readonly material: Buffer;
  readonly usage: string;
  readonly spec: string;
  readonly manager: string;
  state: KeyState;
}

/** Refused, as KMS refuses. */
export class KmsFault extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Input = Readonly<Record<string, unknown>>;

/** Keys of one account in one region, with states, aliases and material of their own. */
export class KmsKeys {
  readonly #home: string;
  readonly #region: string;
  readonly #keys = new Map<string, Key>();
  readonly #aliases = new Map<string, string>();

  constructor({ region, accountId }: { region: string; accountId: string }) {
    this.#region = region;
    this.#home = `arn:aws:kms:${region}:${accountId}`;
  }

  /** @returns the ARN of a new key */
  create({ alias = '', usage = 'ENCRYPT_DECRYPT', spec = 'SYMMETRIC_DEFAULT', manager = 'CUSTOMER' } = {}): string {
    const id = randomUUID();
    const arn = `${this.#home}:key/${id}`;
    this.#keys.set(id, { id, arn, material: randomBytes(32), usage, spec, manager, state: 'Enabled' });
    if (alias !== '') this.#aliases.set(alias, id);
    return arn;
  }

  aliasArn(alias: string): string {
    return `${this.#home}:${alias}`;
  }

  setState(arn: string, state: KeyState): void {
    this.#find(arn).state = state;
  }

  /** As after the waiting period: what was encrypted under it is lost. */
  destroy(arn: string): void {
    this.#keys.delete(this.#find(arn).id);
  }

  answer(operation: string, input: Input): object {
    switch (operation) {
      case 'DescribeKey':
        return { KeyMetadata: describe(this.#find(String(input.KeyId))) };
      case 'GenerateDataKey':
        return this.#generate(input);
      case 'Decrypt':
        return this.#decrypt(input);
      default:
        throw new KmsFault('UnknownOperationException', `There is no ${operation} here`);
    }
  }

  #generate({ KeyId, KeySpec, EncryptionContext = {} }: Input): object {
    const key = usable(this.#find(String(KeyId)));
    if (KeySpec !== 'AES_256') throw new KmsFault('ValidationException', `No data keys of ${KeySpec}`);
    const dataKey = randomBytes(32);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.material, nonce).setAAD(bound(EncryptionContext));
    const sealed = [cipher.update(dataKey), cipher.final(), cipher.getAuthTag()];
    const blob = Buffer.concat([Buffer.from(key.id), nonce, ...sealed]);
    return { KeyId: key.arn, Plaintext: dataKey.toString('base64'), CiphertextBlob: blob.toString('base64') };
  }

  #decrypt({ KeyId, CiphertextBlob, EncryptionContext = {} }: Input): object {
    const blob = Buffer.from(String(CiphertextBlob), 'base64');
    const key = this.#find(blob.toString('utf8', 0, ID_BYTES));
    if (KeyId !== undefined && this.#find(String(KeyId)) !== key) {
      const reason = 'The key ID in the request does not identify a CMK that can perform this operation.';
      throw new KmsFault('IncorrectKeyException', reason);
    }
    usable(key);
    const nonce = blob.subarray(ID_BYTES, ID_BYTES + 12);
    const decipher = createDecipheriv('aes-256-gcm', key.material, nonce).setAAD(bound(EncryptionContext));
    decipher.setAuthTag(blob.subarray(-16));
    try {
      const dataKey = Buffer.concat([decipher.update(blob.subarray(ID_BYTES + 12, -16)), decipher.final()]);
      return { KeyId: key.arn, Plaintext: dataKey.toString('base64') };
    } catch {
      // KMS says no more than this either.
      throw new KmsFault('InvalidCiphertextException', '');
    }
  }

  #find(name: string): Key {
    const [, , , region] = name.split(':');
    if (region !== undefined && region !== this.#region) {
      throw new KmsFault('NotFoundException', `Invalid arn ${region}`);
    }
    const local = name.replace(/^arn:.*:(?=key\/|alias\/)/, '').replace(/^key\//, '');
    if (!local.startsWith('alias/'))
      return this.#keys.get(local) ?? missing(`Key '${this.#home}:key/${local}' does not exist`);
    const id = this.#aliases.get(local);
    return this.#keys.get(id ?? '') ?? missing(`Alias ${this.#home}:${local} is not found.`);
  }
}

const ID_BYTES = 36;

function missing(message: string): never {
  throw new KmsFault('NotFoundException', message);
}

function usable(key: Key): Key {
  if (key.manager === 'AWS') {
    throw new KmsFault('AccessDeniedException', `User is not authorized to perform: kms:GenerateDataKey on ${key.arn}`);
  }
  if (key.state === 'Enabled') return key;
  if (key.state === 'Disabled') throw new KmsFault('DisabledException', `${key.arn} is disabled.`);
  const state = key.state === 'PendingDeletion' ? 'pending deletion' : 'pending import';
  throw new KmsFault('KMSInvalidStateException', `${key.arn} is ${state}.`);
}

function describe({ id, arn, usage, spec, manager, state }: Key): object {
  return {
    KeyId: id,
    Arn: arn,
    AWSAccountId: arn.split(':')[4],
    CreationDate: 1_700_000_000,
    Enabled: state === 'Enabled',
    KeyState: state,
    KeyUsage: usage,
    KeySpec: spec,
    KeyManager: manager,
    Origin: 'AWS_KMS',
  };
}

/** The same pairs in any order are the same context. */
function bound(context: unknown): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context as object).sort()));
}
