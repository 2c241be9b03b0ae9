import { randomBytes, randomUUID } from 'node:crypto';
import { type CoreDependencies, type CoreSettings, DEFAULT_CORE_SETTINGS } from '../../src/core/dependencies.ts';
import { createQuotaGuard } from '../../src/core/quotas/quota-guard.ts';
import { QUOTA_DEFAULTS, type QuotaLimits } from '../../src/core/quotas/quotas.ts';
import { createMemoryBlobStore } from '../../src/drivers/blobs/memory/memory-blob-store.ts';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { type CoreParts, partsOver } from '../core/core-under-test.ts';
import { localEncryption } from '../core/local-encryption.ts';
import type { PostgresServer } from '../support/postgres.ts';

export interface Node extends CoreParts {
  readonly dependencies: CoreDependencies;
}

/** Two nodes over one new database; they share bytes in memory. */
export async function startNodes(
  server: PostgresServer,
  settings: Partial<CoreSettings> = {},
  limits: Partial<QuotaLimits> = {},
): Promise<AsyncDisposable & { nodes: readonly [Node, Node]; url: string }> {
  const url = await server.newDatabase();
  await using opening = new AsyncDisposableStack();
  const now = () => new Date();
  const blobs = opening.use(createMemoryBlobStore({ now }));
  const startNode = async (): Promise<Node> => {
    const metadata = opening.use(await openPostgresMetadataStore({ url }));
    await metadata.migrate();
    const dependencies: CoreDependencies = {
      metadata,
      blobs,
      encryption: localEncryption({ metadata, blobs, now }),
      now,
      newId: () => randomUUID(),
      randomBytes: (length) => randomBytes(length),
      settings: { ...DEFAULT_CORE_SETTINGS, undoSeconds: 0, ...settings },
      quotas: createQuotaGuard({ ...QUOTA_DEFAULTS, ...limits }, now),
    };
    const parts = partsOver(dependencies);
    opening.use(parts.caching);
    return { ...parts, dependencies };
  };
  const nodes = [await startNode(), await startNode()] as const;
  const opened = opening.move();
  return { nodes, url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
