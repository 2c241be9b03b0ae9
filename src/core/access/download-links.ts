import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import type { Layers, StoredLayer } from '../layers/layers.ts';
import type { Call, Caller } from './caller.ts';
import { createKeyring } from './keyring.ts';

/** Signed, expiring links to layers that need no credentials, as GetDownloadUrlForLayer gives them. */
export interface DownloadLinks {
  /**
   * Refuses with repository-not-found, layer-not-found, layer-archived, and layer-inaccessible (no image uses the layer yet).
   * @returns path and query, good for 3,600 s; the face puts scheme and host before it. The path begins `/layers/`. And the
   * blob store's own link, good for as long, when it gives such
   */
  create(
    call: Call,
    input: { repositoryName: string; digest: string },
  ): Promise<{ path: string; url?: string; expiresAt: Date }>;
  /**
   * Opens what a link points at.
   * Refuses with download-link-invalid when it was tampered with or has expired, and layer-not-found or layer-archived when the layer is.
   * @param path path and query as the client sent them
   */
  open(path: string): Promise<StoredLayer>;
}

/** As long as the links of ECR's own bucket. */
const LINK_SECONDS = 3600;

/** `/layers/ACCOUNT/REGION/DIGEST/REPOSITORY?expires=SECONDS&key=ID&signature=…`; everything before the signature is signed. */
export function createDownloadLinks(dependencies: CoreDependencies, layers: Layers): DownloadLinks {
  const keyring = createKeyring(dependencies, 'download-link');
  return {
    async create(call, { repositoryName, digest }) {
      const layer = await layers.open(call, { repositoryName, digest });
      if (!layer.referenced) {
        refuse({ kind: 'layer-inaccessible', digest, repositoryName, registryId: call.registry.accountId });
      }
      const expiresAt = secondsAfter(dependencies.now(), LINK_SECONDS);
      const { accountId, region } = call.registry;
      const expires = Math.floor(expiresAt.getTime() / 1000);
      const signed = `/layers/${accountId}/${region}/${digest}/${repositoryName}?expires=${expires}`;
      const { keyId, signature } = await keyring.sign(signed);
      const url = await layer.downloadUrl?.(LINK_SECONDS);
      return { path: `${signed}&key=${keyId}&signature=${signature}`, ...(url !== undefined && { url }), expiresAt };
    },

    async open(path) {
      const link = parseLink(path) ?? parseLink(decodeSafely(path));
      if (!link || !(await keyring.verify(link.keyId, link.signed, link.signature))) {
        return refuse({
          kind: 'download-link-invalid',
          reason: 'The signature of this download link does not match it; ask GetDownloadUrlForLayer for a new link',
        });
      }
      if (link.expires * 1000 <= dependencies.now().getTime()) {
        const reason = 'This download link has expired; ask GetDownloadUrlForLayer for a new link';
        refuse({ kind: 'download-link-invalid', reason });
      }
      return layers.open({ caller: LINK_HOLDER, registry: link.registry }, link);
    },
  };
}

/** Whoever holds a link was let in when it was made. */
export const LINK_HOLDER: Caller = {
  kind: 'open',
  accountId: '000000000000',
  arn: 'arn:aws:iam::000000000000:download-link',
  userId: 'download-link',
};

const LINK =
  /^(\/layers\/([0-9]{12})\/([0-9a-z-]{2,25})\/([a-z0-9]{1,10}:[0-9a-f]{1,200})\/([^?]{2,256})\?expires=([0-9]{1,12}))&key=([^&]{1,64})&signature=([^&]{1,128})$/;

function parseLink(path: string) {
  const match = LINK.exec(path);
  if (!match) return undefined;
  const [
    ,
    signed = '',
    accountId = '',
    region = '',
    digest = '',
    repositoryName = '',
    expires,
    keyId = '',
    signature = '',
  ] = match;
  return {
    signed,
    registry: { accountId, region },
    digest,
    repositoryName,
    expires: Number(expires),
    keyId,
    signature,
  };
}

/** Some clients escape the colon of the digest. */
function decodeSafely(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
