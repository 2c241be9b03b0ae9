import { randomBytes } from 'node:crypto';

/** `gantry kms master-key > FILE` */
export async function printMasterKey(): Promise<void> {
  console.log(randomBytes(32).toString('base64'));
}
