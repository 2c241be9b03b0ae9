import { UpstreamError, type UpstreamErrorCode } from '../../core/upstreams/upstream.ts';

/** What went wrong, before anybody has said what was being asked; `UpstreamError` outside of this folder. */
export class Fault extends Error {
  readonly code: UpstreamErrorCode;
  /** Whether the same may go well in a moment. */
  readonly isPassing: boolean;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  /** @param reason a sentence without its end, which goes on from `HOST: QUESTION: ` */
  constructor(
    code: UpstreamErrorCode,
    reason: string,
    facts: {
      readonly isPassing?: boolean;
      readonly status?: number;
      readonly retryAfterSeconds?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(reason, { cause: facts.cause });
    this.name = 'Fault';
    this.code = code;
    this.isPassing = facts.isPassing ?? false;
    this.status = facts.status;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/** Throws a fault as an UpstreamError, and anything else as it is. */
export function throwNamed(host: string, asked: string, error: unknown): never {
  if (!(error instanceof Fault)) throw error;
  const { code, status, retryAfterSeconds, cause } = error;
  throw new UpstreamError(
    { code, host, message: `${host}: ${asked}: ${error.message}`, status, retryAfterSeconds },
    { cause },
  );
}
