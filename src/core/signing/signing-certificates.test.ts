import assert from 'node:assert/strict';
import { createPrivateKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { newSignerKey } from './signer-keys.ts';
import {
  CertificateChainError,
  certificatesOf,
  checkChain,
  makeSigner,
  makeSigningAuthority,
} from './signing-certificates.ts';

const registry = { accountId: '000000000000', region: 'us-east-1' };
const now = new Date('2026-03-04T05:06:07Z');
const inDays = (days: number) => new Date(now.getTime() + days * 24 * 3600 * 1000);

function signer(days = 30) {
  const { certificateChain: certificate, privateKey } = makeSigningAuthority(registry, now, randomBytes);
  const authority = { certificate, privateKey: createPrivateKey(privateKey) };
  return { authority, ...makeSigner({ registry, name: 'prod', keyType: 'ec-384', days }, authority, now, randomBytes) };
}

const refused = (words: RegExp, chain: string, privateKey: string, at = now) =>
  assert.throws(
    () => checkChain(chain, createPrivateKey(privateKey), at),
    (error) => error instanceof CertificateChainError && words.test(error.message),
  );

describe('the certificates of a signer', () => {
  it('are for code signing, under its authority, and name it', () => {
    const { certificateChain, privateKey, authority } = signer();
    const [leaf, root, ...others] = certificatesOf(certificateChain);
    assert.deepEqual(others, []);
    assert.equal(root?.toString(), authority.certificate);
    assert.ok(root.ca && !leaf.ca && leaf.checkIssued(root) && leaf.verify(root.publicKey));
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.3']);
    assert.equal(leaf.subject, 'C=ZZ\nST=us-east-1\nO=Gantry registry 000000000000\nCN=prod');
    assert.equal(checkChain(certificateChain, createPrivateKey(privateKey), now), 'ec-384');
  });

  it('do not outlive the authority', () => {
    const [leaf, root] = certificatesOf(signer(1_000_000).certificateChain);
    assert.equal(leaf.validTo, root?.validTo);
  });

  it('that were made elsewhere are refused with the reason when no client would take them', () => {
    const { certificateChain, privateKey, authority } = signer();
    const [leaf, root] = certificatesOf(certificateChain).map(String);
    const other = signer();
    refused(/no certificates in PEM/, 'none', privateKey);
    refused(/cannot be read/, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', privateKey);
    refused(/is not the key's/, certificateChain, other.privateKey);
    refused(/is not the key's/, `${root}${leaf}`, privateKey);
    refused(/not signed by itself: the chain must end with a root/, leaf ?? '', privateKey);
    refused(/not signed by the one behind it/, `${leaf}${other.authority.certificate}${root}`, privateKey);
    refused(/is an authority/, `${root}${root}`, String(authority.privateKey.export({ type: 'pkcs8', format: 'pem' })));
    refused(/Certificate 1 of the chain is not valid now/, certificateChain, privateKey, inDays(31));
    const otherKind = newSignerKey('rsa-2048').privateKey.export({ type: 'pkcs8', format: 'pem' });
    refused(/is not the key's/, certificateChain, String(otherKind));
  });
});
