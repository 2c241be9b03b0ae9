import type { Setting } from './setting.ts';
import type { Given } from './settings-reader.ts';

export const SIGNING_SETTINGS = [
  {
    flag: 'signature-days',
    variable: 'GANTRY_SIGNATURE_DAYS',
    placeholder: 'days',
    description: 'how long a signature of an image counts; 0: as long as the certificate it was made with',
    default: '0',
  },
] as const satisfies Setting[];

export interface SigningConfig {
  /** Undefined: as long as the certificate. */
  readonly signatureSeconds: number | undefined;
}

export function readSigning(given: Given): SigningConfig {
  const days = given.whole('signature-days', 36_500);
  return { signatureSeconds: days === 0 ? undefined : days * 24 * 3600 };
}
