/** What migration 0007 adds; the conventions are those of `Tables`. Private keys are sealed under the key file. */
export interface SigningTables {
  signing_authorities: SigningAuthoritiesTable;
  signer_profiles: SignerProfilesTable;
  registry_signing: RegistrySigningTable;
  image_signings: ImageSigningsTable;
}

interface SigningAuthoritiesTable {
  account: string;
  region: string;
  certificate: string;
  sealed_private_key: Uint8Array;
  created_at: number;
}

export interface SignerProfilesTable {
  arn: string;
  account: string;
  region: string;
  name: string;
  key_type: string;
  certificate_chain: string;
  sealed_private_key: Uint8Array;
  created_at: number;
  /** Null while it signs. */
  retired_at: number | null;
}

interface RegistrySigningTable {
  account: string;
  region: string;
  rules_json: string;
}

export interface ImageSigningsTable {
  image_id: number;
  profile_arn: string;
  status: string;
  failure_code: string | null;
  failure_reason: string | null;
  updated_at: number;
}
