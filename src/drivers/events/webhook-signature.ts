import { createHmac } from 'node:crypto';

/**
 * `v1=` and the HMAC-SHA256, in hexadecimal, of `TIMESTAMP.BODY` under the target's secret. The time is signed too, so that
 * who overheard a delivery cannot pass it off as a new one for longer than the receiver allows.
 *
 * @param timestamp seconds since 1970, as sent
 */
export function webhookSignature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
