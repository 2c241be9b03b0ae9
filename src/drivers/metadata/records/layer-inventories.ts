import type { ScanReads } from '../../../core/scanning/scan-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function inventoryReads(session: Session): Pick<ScanReads, 'inventories' | 'inventoried'> {
  return {
    async inventories(repositoryId, digests, format) {
      const rows = await inventories(session, { repositoryId, digests: JSON.stringify(digests), format });
      return rows.map(({ digest, inventory }) => ({ digest, bytes: inventory }));
    },
    async inventoried(repositoryId, digests, format) {
      const rows = await inventoried(session, { repositoryId, digests: JSON.stringify(digests), format });
      return rows.map(({ digest }) => digest);
    },
  };
}

interface OfLayers {
  repositoryId: number;
  digests: string;
  format: number;
}

const inventories = prepared((db, { repositoryId, digests, format }: Placeholders<OfLayers>, { texts }) =>
  db
    .selectFrom('layers')
    .innerJoin('layer_inventories', 'layer_inventories.blob_id', 'layers.blob_id')
    .select(['layers.digest', 'layer_inventories.inventory'])
    .where('layers.repository_id', '=', repositoryId)
    .where('layers.digest', 'in', db.selectFrom(texts<Digest>(digests).as('wanted')).select('wanted.value'))
    .where('layer_inventories.format', '=', format),
);

const inventoried = prepared((db, { repositoryId, digests, format }: Placeholders<OfLayers>, { texts }) =>
  db
    .selectFrom('layers')
    .innerJoin('layer_inventories', 'layer_inventories.blob_id', 'layers.blob_id')
    .select('layers.digest')
    .where('layers.repository_id', '=', repositoryId)
    .where('layers.digest', 'in', db.selectFrom(texts<Digest>(digests).as('wanted')).select('wanted.value'))
    .where('layer_inventories.format', '=', format),
);

interface NewInventory {
  repositoryId: number;
  digest: Digest;
  format: number;
  bytes: Uint8Array;
}

export const putInventory = prepared((db, { repositoryId, digest, format, bytes }: Placeholders<NewInventory>) =>
  db
    .insertInto('layer_inventories')
    .columns(['blob_id', 'format', 'inventory'])
    .expression(
      db
        .selectFrom('layers')
        .select(['blob_id', format.as('format'), bytes.as('inventory')])
        .where('repository_id', '=', repositoryId)
        .where('digest', '=', digest),
    )
    .onConflict((conflict) => conflict.column('blob_id').doUpdateSet({ format, inventory: bytes })),
);
