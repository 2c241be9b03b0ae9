import type { KeyMetadata, KMS } from '@aws-sdk/client-kms';
import { type EncryptionContext, type KeyService, KeyServiceError } from '../../core/encryption/key-service.ts';
import type { Registry } from '../../core/values/registry.ts';
import { describeFailure } from './kms-failures.ts';

/** Where the service is and who asks. */
export interface AwsKmsPlace {
  /** Of all keys; undefined: that of the registry whose repository it is. */
  readonly region: string | undefined;
  /** Undefined: Amazon's, by region. */
  readonly endpoint: string | undefined;
  /** What repositories get that name no key; undefined: `alias/aws/ecr`. */
  readonly defaultKey: string | undefined;
  /** Undefined: what the AWS SDK finds, such as the role of an instance or a pod. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
    | undefined;
  /** How long the service may take for an answer, attempts included; 10 unless given. */
  readonly answerSeconds?: number;
}

/** The algorithm, and so the length of data keys, is fixed by what stores encrypt with. */
const DATA_KEY_BYTES = 32;
const CONNECT_MS = 2_000;
const SILENCE_MS = 4_000;
const ATTEMPTS_MAX = 3;
/** A push asks many times within it whether its key is usable; the service itself takes longer to spread a change of state. */
const CHECKED_MS = 1_000;
const REGIONS_MAX = 50;

/** The keys of AWS KMS, or of what speaks its API. Nothing is asked of it yet. */
export function createAwsKms(place: AwsKmsPlace): KeyService & Disposable {
  return new AwsKms(place);
}

class AwsKms implements KeyService {
  readonly #place: AwsKmsPlace;
  /** By region. */
  readonly #clients = new Map<string, Promise<KMS>>();
  /** Checks of this second, by key. */
  readonly #checks = new Map<string, { readonly until: number; readonly usable: Promise<string> }>();

  constructor(place: AwsKmsPlace) {
    this.#place = place;
  }

  async resolve(registry: Registry, key = this.#place.defaultKey ?? REGISTRY_KEY): Promise<string> {
    const region = this.#place.region ?? registry.region;
    requireRegion(key, region);
    const arn = await this.#usable(region, key);
    requireRegion(arn, region);
    return arn;
  }

  async check(keyArn: string): Promise<void> {
    const now = performance.now();
    const known = this.#checks.get(keyArn);
    const usable = known !== undefined && now < known.until ? known.usable : this.#usable(regionOf(keyArn), keyArn);
    if (usable !== known?.usable) {
      this.#checks.set(keyArn, { until: now + CHECKED_MS, usable });
      // A refusal is not remembered: a key that is enabled again counts at once.
      usable.catch(() => {
        if (this.#checks.get(keyArn)?.usable === usable) this.#checks.delete(keyArn);
      });
    }
    await usable;
  }

  async generateDataKey(keyArn: string, context: EncryptionContext) {
    const request = { KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: { ...context } } as const;
    const answer = await this.#use(keyArn, (kms, options) => kms.generateDataKey(request, options));
    return { key: requireDataKey(answer.Plaintext), wrapped: answer.CiphertextBlob ?? new Uint8Array() };
  }

  async decrypt(keyArn: string, wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const request = { KeyId: keyArn, CiphertextBlob: wrapped, EncryptionContext: { ...context } };
    const answer = await this.#use(keyArn, (kms, options) => kms.decrypt(request, options));
    return requireDataKey(answer.Plaintext);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.then((kms) => kms.destroy()).catch(() => {});
  }

  async #usable(region: string, key: string): Promise<string> {
    const { KeyMetadata } = await this.#ask(region, (kms, options) => kms.describeKey({ KeyId: key }, options));
    return requireUsable(KeyMetadata, key);
  }

  #client(region: string): Promise<KMS> {
    const known = this.#clients.get(region);
    if (known !== undefined) return known;
    // Callers choose their region: what is let go ends when its last answer has come.
    if (this.#clients.size === REGIONS_MAX) this.#clients.delete(this.#clients.keys().next().value ?? '');
    const client = openClient(this.#place, region);
    this.#clients.set(region, client);
    return client;
  }

  /** What is refused ends the belief that the key is usable. */
  async #use<Answer>(keyArn: string, work: Work<Answer>): Promise<Answer> {
    try {
      return await this.#ask(regionOf(keyArn), work);
    } catch (error) {
      this.#checks.delete(keyArn);
      throw error;
    }
  }

  async #ask<Answer>(region: string, work: Work<Answer>): Promise<Answer> {
    const kms = await this.#client(region);
    const abortSignal = AbortSignal.timeout((this.#place.answerSeconds ?? 10) * 1000);
    try {
      return await work(kms, { abortSignal });
    } catch (error) {
      throw describeFailure(error, this.#place.endpoint ?? `AWS KMS in ${region}`);
    }
  }
}

type Work<Answer> = (kms: KMS, options: { abortSignal: AbortSignal }) => Promise<Answer>;

/** What ECR encrypts under when it is told of no key. */
const REGISTRY_KEY = 'alias/aws/ecr';

/** The SDK is large, and most registries have their keys in their own database. */
async function openClient({ endpoint, credentials }: AwsKmsPlace, region: string): Promise<KMS> {
  const { KMS: Client } = await import('@aws-sdk/client-kms');
  return new Client({
    region,
    maxAttempts: ATTEMPTS_MAX,
    // Without the last the SDK only says that it still waits, and does so for ever.
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS, throwOnRequestTimeout: true },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  });
}

function regionOf(keyArn: string): string {
  return keyArn.split(':')[3] ?? '';
}

/** @param key anything that names a key; only an ARN tells its region */
function requireRegion(key: string, region: string): void {
  if (!key.startsWith('arn:') || regionOf(key) === region) return;
  throw new KeyServiceError('NotFoundException', `The key ${key} is not in region ${region}, where the repository is`);
}

function requireUsable(
  { Arn: arn, KeyState, KeyUsage, KeySpec, KeyManager }: KeyMetadata = {} as KeyMetadata,
  key: string,
) {
  if (arn === undefined) throw new KeyServiceError('NotFoundException', `The key service tells no ARN of ${key}`);
  if (KeyManager === 'AWS') {
    const reason = `AWS lets its own services alone use ${key}; name a key of your own, or a default one with --kms`;
    throw new KeyServiceError('AccessDeniedException', reason);
  }
  if (KeyUsage !== 'ENCRYPT_DECRYPT' || KeySpec !== 'SYMMETRIC_DEFAULT') {
    const reason = `${arn} is a key for ${KeyUsage} with ${KeySpec}; it must be for ENCRYPT_DECRYPT with SYMMETRIC_DEFAULT`;
    throw new KeyServiceError('InvalidKeyUsageException', reason);
  }
  if (KeyState === 'Disabled') throw new KeyServiceError('DisabledException', `${arn} is disabled.`);
  if (KeyState !== 'Enabled') {
    const state = KeyState === 'PendingDeletion' ? 'pending deletion' : `in state ${KeyState}`;
    throw new KeyServiceError('KMSInvalidStateException', `${arn} is ${state}.`);
  }
  return arn;
}

function requireDataKey(key: Uint8Array | undefined): Uint8Array {
  if (key?.byteLength === DATA_KEY_BYTES) return key;
  throw new KeyServiceError('KMSInternalException', `The key service gave a data key of ${key?.byteLength ?? 0} bytes`);
}
