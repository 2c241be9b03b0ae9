import { createHmac } from 'node:crypto';
import type { SignedRequest } from './signed-request.ts';

/** Keys derived from secrets for a day, region and service (four HMACs each), of those that were used last. */
export class SigningKeys {
  readonly #keysMax: number;
  readonly #keys = new Map<string, { readonly secret: string; readonly key: Buffer }>();

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  keyFor(signed: SignedRequest, secret: string): Buffer {
    const known = this.#keys.get(idOf(signed));
    return known?.secret === secret ? known.key : derive(signed, secret);
  }

  /** Called once a signature proved right, so that strangers cannot push others' keys out. */
  keep(signed: SignedRequest, secret: string, key: Buffer): void {
    const id = idOf(signed);
    if (this.#keys.get(id)?.key === key) return;
    this.#keys.delete(id);
    this.#keys.set(id, { secret, key });
    if (this.#keys.size > this.#keysMax) this.#keys.delete(this.#keys.keys().next().value!);
  }

  get size(): number {
    return this.#keys.size;
  }
}

function idOf({ accessKeyId, scope }: SignedRequest): string {
  return `${accessKeyId}/${scope.date}/${scope.region}/${scope.service}`;
}

function derive({ scope }: SignedRequest, secret: string): Buffer {
  const words = [scope.date, scope.region, scope.service, 'aws4_request'];
  return words.reduce<Buffer>((key, word) => hmac(key, word), Buffer.from(`AWS4${secret}`));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
