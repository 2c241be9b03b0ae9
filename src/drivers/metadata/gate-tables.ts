/** What migration 0010 adds; the conventions are those of `Tables`. */
export interface GateTables {
  gates: GatesTable;
  gate_exceptions: GateExceptionsTable;
  severity_sightings: SeveritySightingsTable;
}

export interface GatesTable {
  repository_id: number;
  severity: string | null;
  requires_scan: number;
  signed_by: string | null;
  grace_seconds: number;
  is_dry_run: number;
  author: string;
  updated_at: number;
}

export interface GateExceptionsTable {
  repository_id: number;
  /** Empty: of every finding. */
  cve: string;
  /** Empty: of every image. */
  digest: string;
  until: number;
  reason: string;
  author: string;
  created_at: number;
}

interface SeveritySightingsTable {
  image_id: number;
  scan_type: string;
  severity: string;
  seen_at: number;
}
