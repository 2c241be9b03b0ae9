import type { Session } from '../session.ts';

export async function scanningTables(_session: Session): Promise<void> {}
