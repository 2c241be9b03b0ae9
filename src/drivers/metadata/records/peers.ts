import type { Peer, PeerReads, PeerRecords } from '../../../core/replication/peer-records.ts';
import type { PeersTable } from '../registry-feature-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function peerReads(session: Session): PeerReads {
  return {
    async find({ accountId, region }) {
      const [row] = await find(session, { account: accountId, region });
      return row && toPeer(row);
    },
    async list() {
      return (await list(session, {})).map(toPeer);
    },
  };
}

export function peerRecords(session: Session): PeerRecords {
  return {
    ...peerReads(session),
    async put({ registry, url, settings, sealedSecret, createdAt }) {
      await put(session, {
        account: registry.accountId,
        region: registry.region,
        url,
        settings: JSON.stringify(settings),
        sealedSecret: sealedSecret ?? null,
        createdAt: createdAt.getTime(),
      });
    },
    async delete({ accountId, region }) {
      return (await deletePeer(session, { account: accountId, region })).length > 0;
    },
  };
}

function toPeer(row: PeersTable): Peer {
  return {
    registry: { accountId: row.account, region: row.region },
    url: row.url,
    settings: JSON.parse(row.settings_json),
    ...(row.sealed_secret !== null && { sealedSecret: row.sealed_secret }),
    createdAt: new Date(row.created_at),
  };
}

const COLUMNS = ['account', 'region', 'url', 'settings_json', 'sealed_secret', 'created_at'] as const;

interface InRegistry {
  account: string;
  region: string;
}

const find = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db.selectFrom('peers').select(COLUMNS).where('account', '=', account).where('region', '=', region),
);

const list = prepared((db) => db.selectFrom('peers').select(COLUMNS).orderBy('account').orderBy('region'));

interface NewPeer extends InRegistry {
  url: string;
  settings: string;
  sealedSecret: Uint8Array | null;
  createdAt: number;
}

const put = prepared((db, peer: Placeholders<NewPeer>) =>
  db
    .insertInto('peers')
    .values({
      account: peer.account,
      region: peer.region,
      url: peer.url,
      settings_json: peer.settings,
      sealed_secret: peer.sealedSecret,
      created_at: peer.createdAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'region'])
        .doUpdateSet({ url: peer.url, settings_json: peer.settings, sealed_secret: peer.sealedSecret }),
    ),
);

const deletePeer = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db.deleteFrom('peers').where('account', '=', account).where('region', '=', region).returning('account'),
);
