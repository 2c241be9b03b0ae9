import type { Protection } from '../../../core/encryption/protection.ts';

export function protectionOf({ protection_json: json }: { protection_json: string | null }): {
  protection?: Protection;
} {
  return json === null ? {} : { protection: JSON.parse(json) as Protection };
}

export function toProtectionJson(protection: Protection | undefined): string | null {
  return protection === undefined ? null : JSON.stringify(protection);
}
