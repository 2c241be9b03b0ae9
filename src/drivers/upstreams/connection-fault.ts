import { Fault } from './fault.ts';

/** What Node says about a connection, in words and with whether to try again. */
export function connectionFault(error: Error): Fault {
  if (error instanceof Fault) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('HPE_')) return new Fault('invalid', 'the answer is not HTTP', { cause: error });
  if (code === 'ENOTFOUND') return new Fault('unavailable', 'its name cannot be found', { cause: error });
  if (isAboutTls(code)) {
    // It may quote all the names of a certificate.
    return new Fault('unavailable', `no TLS connection: ${error.message.slice(0, 300)}`, { cause: error });
  }
  const reason = `the connection failed (${code || error.message})`;
  return new Fault('unavailable', reason, { isPassing: true, cause: error });
}

/** Codes of OpenSSL's certificate checks have no prefix in common. */
function isAboutTls(code: string): boolean {
  return /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$|INVALID_CA$)/.test(
    code,
  );
}
