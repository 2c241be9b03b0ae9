import type { HistoryReads, HistoryRecords } from '../../../core/history/history-records.ts';
import type { Session } from '../session.ts';
import { deletedImageReads, deletedImageRecords } from './deleted-images.ts';
import { tagChangeReads, tagChangeRecords } from './tag-changes.ts';

export function historyReads(session: Session): HistoryReads {
  return { ...tagChangeReads(session), ...deletedImageReads(session) };
}

export function historyRecords(session: Session): HistoryRecords {
  return { ...historyReads(session), ...tagChangeRecords(session), ...deletedImageRecords(session) };
}
