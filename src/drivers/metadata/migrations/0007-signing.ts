import type { Session } from '../session.ts';

export async function signingTables(_session: Session): Promise<void> {}
