import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DescribeRepositoriesCommand, ECRClient, UploadLayerPartCommand } from '@aws-sdk/client-ecr';
import { findProgram, run, runAny } from '../../../test/support/programs.ts';
import { startVerifyingServer } from './verifying-server.ts';

const keys = { AKIDEXAMPLE: 'se/cret+=' };

describe('the AWS SDK for JavaScript', () => {
  const call = async (port: number, secretAccessKey: string, sessionToken?: string) => {
    using client = disposable(
      new ECRClient({
        region: 'eu-central-1',
        endpoint: `http://127.0.0.1:${port}`,
        maxAttempts: 1,
        credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, ...(sessionToken && { sessionToken }) },
      }),
    );
    await client.value.send(new DescribeRepositoriesCommand({ repositoryNames: ['é', 'a/b'] }));
    await client.value.send(
      new UploadLayerPartCommand({
        repositoryName: 'a/b',
        uploadId: 'x',
        partFirstByte: 0,
        partLastByte: 4_999_999,
        layerPartBlob: Buffer.alloc(5_000_000, 'x'),
      }),
    );
  };

  it('is let in, with a session token as well', async () => {
    await using server = await startVerifyingServer(keys);
    await call(server.port, keys.AKIDEXAMPLE);
    await call(server.port, keys.AKIDEXAMPLE, 'session/token==');
    assert.deepEqual(
      server.admitted.map(({ sessionToken, scope }) => [sessionToken, scope.region, scope.service]),
      [undefined, undefined, 'session/token==', 'session/token=='].map((token) => [token, 'eu-central-1', 'ecr']),
    );
  });

  it('learns why not', async () => {
    await using server = await startVerifyingServer(keys);
    await assert.rejects(call(server.port, 'wrong'), { name: 'InvalidSignatureException' });
  });
});

/** Each line of output is one request; what is sent goes through botocore's own signers. */
const script = `
import sys, json, botocore.session
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
url = sys.argv[1]
session = botocore.session.get_session()
for token in (None, "session/token=="):
    ecr = session.create_client("ecr", region_name="us-east-1", endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="se/cret+=", aws_session_token=token)
    ecr.describe_repositories(repositoryNames=["été", "a/b"])
credentials = Credentials("AKIDEXAMPLE", "se/cret+=", "session/token==")
def send(signer, **request):
    made = AWSRequest(**request)
    signer.add_auth(made)
    answer = URLLib3Session().send(made.prepare())
    assert answer.status_code == 200, (request, answer.status_code, answer.text)
header = SigV4Auth(credentials, "ecr", "us-east-1")
link = SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60)
odd = {"x-amz-a": "  a   b  ", "X-B": '"c   d"'}
for signer in (header, link):
    send(signer, method="POST", url=url + "/", data=b"{}", headers=odd)
    send(signer, method="GET", url=url + "/", params={"a b": "c+d", "e": "/%", "Z": ""})
    send(signer, method="GET", url=url + "/a%20b/%C3%A9//c/./d/../e~f(g)")
send(header, method="POST", url=url + "/", data=b"{}", headers={"Date": "any"})
print("done")
`;

describe('botocore', () => {
  it('is let in by header, by link, and with a date of HTTP', async (t) => {
    const python = findProgram('python3');
    if (python === undefined || (await runAny([python, '-c', 'import botocore'])).code !== 0) {
      return t.skip('python3 with botocore is not installed');
    }
    await using server = await startVerifyingServer(keys);
    assert.equal(await run([python, '-c', script, `http://127.0.0.1:${server.port}`]), 'done\n');
    assert.equal(server.admitted.length, 9);
  });
});

function disposable<T extends { destroy(): void }>(value: T): Disposable & { value: T } {
  return { value, [Symbol.dispose]: () => value.destroy() };
}
