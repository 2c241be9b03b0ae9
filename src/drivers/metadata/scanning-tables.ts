/** What migration 0006 adds; the conventions are those of `Tables`. */
export interface ScanningTables {
  registry_scanning: RegistryScanningTable;
  layer_inventories: LayerInventoriesTable;
  image_scans: ImageScansTable;
}

interface RegistryScanningTable {
  account: string;
  region: string;
  scan_type: string;
  rules_json: string;
}

interface LayerInventoriesTable {
  blob_id: number;
  format: number;
  /** As the scanner packs it. */
  inventory: Uint8Array;
}

export interface ImageScansTable {
  image_id: number;
  scan_type: string;
  /** Of the image's registry, for counting. */
  account: string;
  region: string;
  status: string;
  description: string | null;
  started_at: number;
  /** Null until a scan has completed, with all that follows. */
  completed_at: number | null;
  source_updated_at: number | null;
  source: string | null;
  severity_counts_json: string | null;
  /** Last, so that what reads the others does not read it. */
  findings: Uint8Array | null;
}
